"""The site's list of files, its icons and manifest, and the workers joined, without a browser."""

import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from vertebra.site import offline


def shell(title, body):
    return f'<head><title>{title}</title><script type="module" src="_/site.js?v=1"></script></head>{body}'


@pytest.fixture
def site(tmp_path):
    out = tmp_path / "site"
    (out / "_" / "deep").mkdir(parents=True)
    (out / "lessons").mkdir()
    (out / "_" / "site.js").write_text('import { t } from "./words.js";\nawait import("./offline.js");\n')
    (out / "_" / "words.js").write_text('export { t } from "./deep/down.js";\n')
    (out / "_" / "deep" / "down.js").write_text('import "../site.js";\nexport const t = 1;\n')
    (out / "lessons" / "ü 1.html").write_text("<title>Fractures &amp; falls · vertebra</title>", encoding="utf-8")
    return out


def test_every_file_is_listed_with_its_digest_and_the_version_is_that_of_the_list(site):
    (site / "live" / "static").mkdir(parents=True)
    (site / "live" / "static" / "numpy.pack").write_bytes(bytes(1000))
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
    assert told.live == 1000
    assert listed["pages"] == {"lessons/ü 1.html": "Fractures & falls"}


def test_the_same_site_has_the_same_version_and_any_change_another_one(site):
    first = offline.finish(site, shell).version
    assert offline.finish(site, shell).version == first
    (site / "lessons" / "ü 1.html").write_text("<title>One</title>", encoding="utf-8")
    assert offline.finish(site, shell).version != first


def test_what_the_page_for_missing_pages_needs_is_kept_from_the_start(site):
    offline.finish(site, shell)
    first = set(json.loads((site / "files.json").read_text())["first"])
    assert first == {"offline.html", "_/site.js", "_/words.js", "_/deep/down.js", "_/offline.js"}


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
