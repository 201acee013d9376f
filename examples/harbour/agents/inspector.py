"""The inspector (Python) checks the links of rendered pages and files each broken one as an event. Now and then he falls
into the water: his process ends in the middle of a job, and one can see him brought back and the job done again."""

import os
import random
import re
from html.parser import HTMLParser

from quarterdeck import GiveUp, work

SITE = os.path.join("output", "site")
PAGE = re.compile(r"[a-z0-9-]+\.html")
LEASE_SECONDS = int(os.environ.get("HARBOUR_LEASE_SECONDS", "30"))

jobs_until_the_fall = random.randint(30, 50)


class Page(HTMLParser):
    """The links of a page and the places in it that can be linked to."""

    def __init__(self, name):
        super().__init__()
        self.links = []
        self.places = set()
        with open(os.path.join(SITE, name), encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if attributes.get("id"):
            self.places.add(attributes["id"])


def check_page(job):
    global jobs_until_the_fall
    jobs_until_the_fall -= 1
    if jobs_until_the_fall == 0:
        print("the inspector slips on the wet quay (on purpose): his process ends now", flush=True)
        os._exit(1)
    name = job.payload.get("page")
    # A payload comes from whoever may add jobs: it names a page, never a path.
    if not isinstance(name, str) or not PAGE.fullmatch(name):
        raise GiveUp(f'"{name}" is not the name of a page')
    try:
        page = Page(name)
    except FileNotFoundError:
        raise GiveUp(f"there is no page {name}") from None
    broken = []
    for link in page.links:
        job.keep()
        reason = why_broken(link, name)
        if reason is not None:
            broken.append({"link": link, "reason": reason})
    if broken:
        job.emit("page.links_broken", {"page": name, "broken": broken}, once="checked")
    return {"page": name, "links": len(page.links), "broken": broken}


def why_broken(link, page):
    if re.match(r"[a-z][a-z0-9+.-]*:", link, re.IGNORECASE):
        return None  # leads outside, and there is no network here
    target, _, place = link.partition("#")
    target = target or page
    if not PAGE.fullmatch(target):
        return f"no such page: {target}"
    if not os.path.exists(os.path.join(SITE, target)):
        # At the start pages are checked while others still wait to be rendered.
        source = os.path.join("documents", target[: -len(".html")] + ".md")
        return None if target == "index.html" or os.path.exists(source) else f"no such page: {target}"
    return None if not place or place in Page(target).places else f"no place #{place} in {target}"


work(["links"], {"check-page": check_page}, lease_seconds=LEASE_SECONDS)
