// As much Markdown as the harbour's documents use, to HTML: headings with ids, paragraphs, lists, quotes, code, tables,
// emphasis, links. Text is escaped first, so nothing that stands in a document becomes markup by itself.

export function renderMarkdown(text) {
  const blocks = text
    .replaceAll('\r\n', '\n')
    .trim()
    .split(/\n{2,}/);
  const title = blocks.find((block) => block.startsWith('# '))?.slice(2) ?? 'Untitled';
  return { title: inline(title), html: blocks.map(renderBlock).join('\n') };
}

function renderBlock(block) {
  const lines = block.split('\n');
  const heading = /^(#{1,6}) (.+)$/.exec(block);
  if (heading) {
    const [, { length: level }, words] = heading;
    return `<h${level} id="${anchorOf(words)}">${inline(words)}</h${level}>`;
  }
  if (lines.every((line) => line.startsWith('    '))) {
    return `<pre><code>${escapeHtml(lines.map((line) => line.slice(4)).join('\n'))}</code></pre>`;
  }
  if (lines.every((line) => line.startsWith('> '))) {
    return `<blockquote>${inline(lines.map((line) => line.slice(2)).join(' '))}</blockquote>`;
  }
  if (lines.every((line) => line.startsWith('- '))) return list('ul', lines, 2);
  if (lines.every((line) => /^\d+\. /.test(line))) return list('ol', lines, /^\d+\. /);
  if (lines.every((line) => line.startsWith('|')) && lines.length > 2) return table(lines);
  return `<p>${inline(lines.join(' '))}</p>`;
}

function list(tag, lines, mark) {
  const items = lines.map((line) => (typeof mark === 'number' ? line.slice(mark) : line.replace(mark, '')));
  return `<${tag}>\n${items.map((item) => `<li>${inline(item)}</li>`).join('\n')}\n</${tag}>`;
}

function table([head, , ...rows]) {
  const cells = (line, tag) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => `<${tag}>${inline(cell.trim())}</${tag}>`)
      .join('');
  const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
  return `<table>\n<thead><tr>${cells(head, 'th')}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

function inline(text) {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => (/^`.+`$/.test(part) ? `<code>${escapeHtml(part.slice(1, -1))}</code>` : words(part)))
    .join('');
}

function words(text) {
  return escapeHtml(text)
    .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, label, target) => `<a href="${hrefOf(target)}">${label}</a>`)
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/\*([^*]+)\*/g, '<em>$1</em>');
}

// Documents link to documents, pages to pages. Anything with a scheme other than http and https could run as a script.
function hrefOf(target) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) && !/^https?:/i.test(target)) return '#';
  return target.replace(/^([a-z0-9-]+)\.md(#|$)/, '$1.html$2');
}

function anchorOf(words) {
  return words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function escapeHtml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
