// The builder (Node) renders documents to pages of a small site, output/site, and has each page checked.
import { work } from '@quarterdeck/sdk';
import { renderMarkdown } from './markdown.mjs';
import { LEASE_SECONDS, listDocuments, readDocument, writeOutput } from './shelf.mjs';

await work(['pages'], { 'render-page': renderPage, 'render-index': renderIndex }, { leaseSeconds: LEASE_SECONDS });

async function renderPage(job) {
  const { document, check } = job.payload;
  const { title, html } = renderMarkdown(await readDocument(document));
  const page = pageOf(document);
  await writeOutput(`site/${page}`, layout(title, `<p><a href="index.html">All documents</a></p>\n${html}`));
  await job.emit('page.rendered', { document, page, bytes: html.length }, { once: 'rendered' });
  // One check of a page that waits is enough, however often the page is rendered meanwhile.
  if (check) {
    const checking = { kind: 'check-page', queue: 'links', payload: { page }, unique_key: `check:${page}` };
    await job.qd.job.add(checking, { idempotencyKey: `${job.id}:check` });
  }
  return { page, title };
}

async function renderIndex(job) {
  const items = [];
  for (const document of await listDocuments()) {
    await job.keep();
    const { title } = renderMarkdown(await readDocument(document));
    items.push(`<li><a href="${pageOf(document)}">${title}</a></li>`);
  }
  await writeOutput('site/index.html', layout('Harbour', `<h1>Harbour</h1>\n<ul>\n${items.join('\n')}\n</ul>`));
  return { page: 'index.html', documents: items.length };
}

function pageOf(document) {
  return document.replace(/\.md$/, '.html');
}

function layout(title, body) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }</style>
${body}
</html>
`;
}
