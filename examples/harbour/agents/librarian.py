"""The librarian (Python) reads documents and counts what stands in them: a file in output/counts, an event and a result
for each. The clerk (Node) works on the same queue and counts alike."""

import json
import os
import re

from quarterdeck import GiveUp, work

# A payload comes from whoever may add jobs: it names a document, never a path.
DOCUMENT = re.compile(r"[a-z0-9-]+\.md")
LEASE_SECONDS = int(os.environ.get("HARBOUR_LEASE_SECONDS", "30"))


def count_document(job):
    document = job.payload.get("document")
    if not isinstance(document, str) or not DOCUMENT.fullmatch(document):
        raise GiveUp(f'"{document}" is not the name of a document')
    try:
        # newline='' leaves line ends as they are, so that both who count see the same text.
        with open(os.path.join("documents", document), encoding="utf-8", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        raise GiveUp(f"there is no document {document}") from None
    counts = {"document": document, **counts_of(text)}
    write_output(os.path.join("counts", f"{document}.json"), json.dumps(counts, indent=2, ensure_ascii=False) + "\n")
    job.emit("document.counted", {"document": document, "words": counts["words"]}, once="counted")
    return counts


def counts_of(text):
    """The same rules as in clerk.mjs; test/examples/harbour.os.test.ts holds both to them."""
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", text)]
    times = {}
    for word in words:
        if len(word) > 3:
            times[word] = times.get(word, 0) + 1
    frequent = sorted(times.items(), key=lambda item: (-item[1], item[0]))[:5]
    return {
        "lines": text.count("\n"),
        "headings": len(re.findall(r"(?:^|\n)#{1,6} ", text)),
        "links": len(re.findall(r"\]\([^)]+\)", text)),
        "words": len(words),
        "frequent": [word for word, _ in frequent],
    }


def write_output(path, text):
    """Readers see the old file or the new one, never half of one, also when we are killed in the middle."""
    path = os.path.join("output", path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.{os.getpid()}", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.{os.getpid()}", path)


work(["documents"], {"count-document": count_document}, concurrency=4, lease_seconds=LEASE_SECONDS)
