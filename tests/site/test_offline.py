"""The site's list of files, its icons and manifest, and the workers joined, without a browser."""

import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from vertebra.site import offline
from vertebra.teaching.files import TeachingError


def shell(title, body):
    return f'<head><title>{title} &amp; more</title><script type="module" src="_/site.js?v=1"></script></head>{body}'


@pytest.fixture
def site(tmp_path):
    out = tmp_path / "site"
    (out / "_" / "deep").mkdir(parents=True)
    (out / "lessons").mkdir()
    (out / "_" / "site.js").write_text('import { t } from "./words.js";\nawait import("./offline.js");\n')
    (out / "_" / "words.js").write_text('export { t } from "./deep/down.js";\n')
    (out / "_" / "deep" / "down.js").write_text('import "../site.js";\nexport const t = 1;\n')
    (out / "lessons" / "ü 1.html").write_text("<title>One</title><a href='x.html'>", encoding="utf-8")
    return out


def live_half(out):
    (out / "live").mkdir()
    (out / "live" / "jupyter-lite.json").write_text('{"jupyter-config-data": {"appVersion": "0.8.6"}}')
    (out / "live" / "service-worker.js").write_text("theirs();\n")


def test_every_file_is_listed_with_its_digest_and_the_version_is_that_of_the_list(site):
    live_half(site)
    told = offline.finish(site, shell)
    raw = (site / "files.json").read_bytes()
    listed = json.loads(raw)
    assert json.loads((site / "version.json").read_text()) == {
        "version": hashlib.sha256(raw).hexdigest(),
        "bytes": {"pages": told.pages, "live": told.live},
    }
    there = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert set(listed["files"]) == there - {"version.json", "files.json", "worker.js"}
    for path, (digest, size) in listed["files"].items():
        assert hashlib.sha256((site / path).read_bytes()).hexdigest() == digest
        assert (site / path).stat().st_size == size
    assert told.live == sum(path.stat().st_size for path in (site / "live").rglob("*"))
    assert listed["pages"] == {"lessons/ü 1.html": "One", "offline.html": "Not on this device & more"}


def test_the_same_site_has_the_same_version_and_any_change_another_one(site):
    first = offline.finish(site, shell).version
    assert offline.finish(site, shell).version == first
    (site / "lessons" / "ü 1.html").write_text("<title>One</title>", encoding="utf-8")
    assert offline.finish(site, shell).version != first


def test_what_the_page_for_missing_pages_needs_is_kept_from_the_start(site):
    offline.finish(site, shell)
    first = set(json.loads((site / "files.json").read_text())["first"])
    assert first == {"offline.html", "_/site.js", "_/words.js", "_/deep/down.js", "_/offline.js"}


def test_either_worker_brings_the_other_in_once(site):
    live_half(site)
    offline.finish(site, shell)
    offline.finish(site, shell)
    theirs = (site / "live" / "service-worker.js").read_text()
    assert theirs.splitlines() == ['if (!self.vertebra) importScripts("../worker.js");', "theirs();"]
    assert (site / "worker.js").read_text().splitlines()[-1] == 'importScripts("live/service-worker.js");'
    assert json.loads((site / "files.json").read_text())["lite"] == "0.8.6"


def test_without_the_live_half_nothing_of_it_is_named(site):
    told = offline.finish(site, shell)
    assert told.live == 0
    assert "importScripts(" not in (site / "worker.js").read_text().splitlines()[-1]


@pytest.mark.parametrize("spoilt", ["jupyter-lite.json", "service-worker.js"])
def test_a_live_half_that_is_not_jupyterlites_is_refused_with_its_place_and_the_mend(site, spoilt):
    live_half(site)
    (site / "live" / spoilt).unlink()
    with pytest.raises(
        TeachingError, match=r"live: is not a JupyterLite site \(.*" + spoilt + r".*\); build the live half"
    ):
        offline.finish(site, shell)


def test_the_manifest_can_be_installed_and_its_icons_are_there_in_the_sizes_it_says(site):
    offline.finish(site, shell)
    manifest = json.loads((site / "manifest.webmanifest").read_text(encoding="utf-8"))
    assert not any(manifest[key].startswith("/") for key in ("id", "start_url", "scope"))  # works at any sub-path
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
    assert "maskable" in {icon.get("purpose") for icon in manifest["icons"]}
    for icon in manifest["icons"]:
        if icon["type"] == "image/png":
            with Image.open(site / icon["src"]) as image:
                assert "{}x{}".format(*image.size) == icon["sizes"]
    assert (site / "_" / "icon.svg").read_text().count("<polygon") >= 6  # three bodies and their arches


def test_nothing_of_the_icon_is_cut_off_by_a_round_mask():
    raw = offline.icons()["icon-512.png"]
    image = np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).astype(int)
    drawn = np.abs(image - image[0, 0]).sum(axis=2) > 30
    y, x = np.nonzero(drawn)
    assert drawn.mean() > 0.1
    assert np.hypot(x - 255.5, y - 255.5).max() < 0.4 * 512 + 2
