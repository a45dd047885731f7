"""The anatomy viewer in a real browser: what it draws is where geometry says, and text, mouse and keys use it."""

import base64
import io
import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from pages import fits, listen
from vertebra import assets
from vertebra.widgets.anatomy import Solid, anatomy, pack, picture, view

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
VIEWS = ["Anterior", "Posterior", "Left lateral", "Right lateral", "Superior", "Inferior"]
TEXT = '<p id="text">The <a href="#part-pedicle">pedicle</a> and the <a href="#part-spinous-process">spine</a>.</p>'

DRAW = """
([scene, azimuth, elevation, target]) => {
  const shown = new Uint8Array(scene.regions.length + 1).fill(1);
  const frame = esm.rasterise(esm.decode(scene), shown, esm.camera(azimuth, elevation), target);
  const text = ({ buffer }) => Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return [btoa(text(frame.id)), btoa(text(frame.depth)), btoa(text(frame.light)), frame.box];
}
"""


def ball(radius, centre=(0.0, 0.0, 0.0), part="body", rings=48):
    """A sphere of triangles, counter-clockwise seen from outside."""
    polar, turn = np.meshgrid(np.linspace(0, np.pi, rings + 1), np.arange(2 * rings) * np.pi / rings, indexing="ij")
    normals = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], axis=-1)
    index = np.arange(normals[..., 0].size).reshape(rings + 1, 2 * rings)
    a, b, c, d = index[:-1], index[1:], np.roll(index, -1, 1)[1:], np.roll(index, -1, 1)[:-1]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    normals = normals.reshape(-1, 3)
    return Solid(normals * radius + np.array(centre), faces, normals, [part] * len(faces), "L1")


@pytest.fixture(scope="module")
def module_page(chromium):
    """A page with the browser half as `esm`, without a widget."""
    page = chromium.new_context().new_page()
    page.route("http://localhost/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto("http://localhost/")
    source = str(anatomy()._esm)
    page.evaluate(
        "async (source) => { window.esm = await import(URL.createObjectURL(new Blob([source],"
        " { type: 'text/javascript' }))); }",
        source,
    )
    yield page
    page.context.close()


def draw(page, scene, azimuth=0, elevation=0, size=200, scale=4.0, centre=(0, 0, 0)):
    target = {"width": size, "height": size, "scale": scale, "centre": list(centre)}
    *blocks, box = page.evaluate(DRAW, [scene, azimuth, elevation, target])
    names = zip(("id", "depth", "light"), ("u1", "<f4", "<f4"), blocks, strict=True)
    frame = {name: np.frombuffer(base64.b64decode(block), kind).reshape(size, size) for name, kind, block in names}
    return frame | {"box": box}


# --- the rasteriser ---


def test_a_sphere_is_a_disc_of_the_right_size_place_depth_and_shading(module_page):
    radius, scale = 20.0, 4.0
    frame = draw(module_page, pack([ball(radius)]), scale=scale)
    inside = frame["id"] == 1
    assert inside.sum() == pytest.approx(np.pi * (radius * scale) ** 2, rel=0.005)
    rows, columns = np.nonzero(inside)
    assert (rows.mean(), columns.mean()) == pytest.approx((99.5, 99.5), abs=0.2)
    assert frame["box"] == pytest.approx([20, 20, 179, 179], abs=1)
    across = (np.arange(200) + 0.5 - 100) / scale
    u, v = np.meshgrid(across, -across)
    flat = np.hypot(u, v) < 0.9 * radius
    height = np.sqrt(radius**2 - u**2 - v**2, where=flat, out=np.zeros_like(u))
    assert np.abs(frame["depth"] - height)[flat].max() < 0.12
    # Light is a function of the normal: the same on a ball of half the size at half the distance from its middle.
    small = draw(module_page, pack([ball(radius / 2)]), scale=scale)
    for du, dv in itertools.product((-0.5, 0.0, 0.5), repeat=2):
        here, there = (
            f["light"][round(99.5 - dv * r * scale), round(99.5 + du * r * scale)]
            for f, r in ((frame, radius), (small, radius / 2))
        )
        assert here == pytest.approx(there, abs=0.03)
    # The lamp stands over the reader's left shoulder.
    bright = np.unravel_index(np.where(flat, frame["light"], 0).argmax(), u.shape)
    assert u[bright] < -5
    assert v[bright] > 5
    assert frame["light"][60, 60] > frame["light"][140, 140] + 0.3


def test_what_is_nearer_hides_what_is_behind_from_every_side(module_page):
    front, left, above = (0, 10, 0), (-10, 0, 0), (0, 0, 10)
    order = {"body": front, "pedicle": left, "lamina": above}
    scene = pack([ball(2.0, place, part) for part, place in order.items()] + [ball(3.0, part="spinous-process")])
    number = {region["part"]: k + 1 for k, region in enumerate(scene["regions"])}
    centre = {}
    looks = {"front": (0, 0), "back": (180, 0), "left": (90, 0), "right": (270, 0)}
    for name, (azimuth, elevation) in (looks | {"above": (180, 90), "below": (0, -90)}).items():
        centre[name] = draw(module_page, scene, azimuth, elevation)["id"][100, 100]
    hidden = number["spinous-process"]
    assert centre == {
        "front": number["body"],
        "left": number["pedicle"],
        "above": number["lamina"],
        "back": hidden,
        "right": hidden,
        "below": hidden,
    }


def test_the_cameras_are_rotations_and_the_letters_are_the_patients(module_page):
    seen = module_page.evaluate(
        "esm.VIEWS.map((v) => { const rows = esm.camera(v.azimuth, v.elevation);"
        " return [v.name, rows, esm.edgeLetters(rows)]; })"
    )
    letters = {}
    for name, rows, edges in seen:
        matrix = np.array(rows).reshape(3, 3)
        assert np.allclose(matrix @ matrix.T, np.eye(3))
        assert np.linalg.det(matrix) == pytest.approx(1)
        letters[name] = "".join(edges[edge] for edge in ("left", "right", "top", "bottom"))
    # Left, right, top and bottom edge. From the front the patient's right is on the left; an axial CT looks from below.
    assert letters == {
        "Anterior": "RLSI",
        "Posterior": "LRSI",
        "Left lateral": "APSI",
        "Right lateral": "PASI",
        "Superior": "LRAP",
        "Inferior": "RLAP",
    }
    oblique = module_page.evaluate("esm.edgeLetters(esm.camera(45, 0))")
    assert sorted(oblique["left"]) == ["A", "R"]
    pairs = list(itertools.permutations(range(6), 2))
    turns = module_page.evaluate(
        """(pairs) => {
          const at = (i) => esm.camera(esm.VIEWS[i].azimuth, esm.VIEWS[i].elevation);
          return pairs.map(([a, b]) => [0, 0.3, 0.7, 1].map((share) => esm.between(at(a), at(b), share)));
        }""",
        pairs,
    )
    for (a, b), steps in zip(pairs, turns, strict=True):
        turned = [np.array(rows).reshape(3, 3) for rows in steps]
        assert np.allclose(turned[0], np.array(seen[a][1]).reshape(3, 3), atol=1e-9)
        assert np.allclose(turned[3], np.array(seen[b][1]).reshape(3, 3), atol=1e-9)
        for matrix in turned:
            assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-9)
        angles = [np.arccos(np.clip((np.trace(turned[0].T @ m) - 1) / 2, -1, 1)) for m in turned]
        assert np.allclose(angles, np.array([0, 0.3, 0.7, 1]) * angles[3], atol=1e-6)


@pytest.mark.parametrize(("azimuth", "near", "far"), [(90, "left", "right"), (270, "right", "left")])
def test_a_lateral_view_shows_the_near_side(module_page, azimuth, near, far):
    scene = view("vertebra", "L1")
    frame = draw(module_page, scene, azimuth, size=300, scale=3, centre=scene["centre"])
    names = [region["name"] for region in scene["regions"]]
    seen = {names[k - 1]: (frame["id"] == k).sum() for k in np.unique(frame["id"]) if k}
    assert seen[f"{near} transverse process"] > 200
    assert seen[f"{near} pedicle"] > 200
    assert seen.get(f"{far} transverse process", 0) == 0
    assert seen.get(f"{far} pedicle", 0) == 0


def test_the_borders_of_a_lit_part_are_smooth_and_its_own(module_page):
    """The lit cap of a ball that is divided at a plane ends at that plane, within a third of a triangle."""
    solid = ball(20.0)
    high = solid.vertices[solid.faces].mean(axis=1)[:, 2] > 5
    parts = ["superior-endplate" if up else "body" for up in high]
    scene = pack([Solid(solid.vertices, solid.faces, solid.normals, parts, "L1")])
    lit = [k + 1 for k, region in enumerate(scene["regions"]) if region["part"] == "superior-endplate"]
    frame = module_page.evaluate(
        """([scene, lit]) => {
          const meshes = esm.decode(scene);
          for (const mesh of meshes) mesh.used = [...new Set(mesh.regions)];
          esm.kindle(meshes, new Set(lit));
          const target = { width: 200, height: 200, scale: 4, centre: [0, 0, 0] };
          return [...esm.rasterise(meshes, new Uint8Array(3).fill(1), esm.camera(0, 0), target, {}, true).id];
        }""",
        [scene, lit],
    )
    glowing = np.array(frame).reshape(200, 200) > 0
    edge = 100 - 4 * 5
    assert abs(glowing[:, 60:140].argmin(axis=0) - 100).min() >= 0
    bottom = 199 - glowing[::-1, 60:140].argmax(axis=0)
    assert np.abs(bottom - edge).max() < 4 * 20 * np.pi / 48
    assert np.ptp(bottom) <= 3


def test_labels_never_overlap_and_their_lines_do_not_cross(module_page):
    rng = np.random.default_rng(5)
    width, top, bottom, margin, gap = 900, 40, 500, 160, 8
    sets = [
        [
            {"x": float(x), "y": float(y), "height": float(h)}
            for x, y, h in zip(
                rng.uniform(250, 650, 14), rng.uniform(60, 480, 14), rng.choice([16, 32], 14), strict=True
            )
        ]
        for _ in range(100)
    ]
    options = {"width": width, "top": top, "bottom": bottom, "margin": margin, "gap": gap}
    laid = module_page.evaluate(
        "([sets, options]) => sets.map((labels) => esm.layout(labels, options))", [sets, options]
    )
    for placed in laid:
        crossings = 0
        for side in ("left", "right"):
            column = sorted((label for label in placed if label["side"] == side), key=lambda label: label["slot"])
            for label in column:
                assert top - 1e-6 <= label["slot"] <= bottom - label["height"] + 1e-6
            for upper, lower in itertools.pairwise(column):
                assert lower["slot"] - upper["slot"] - upper["height"] >= gap - 1e-6
            edge = margin if side == "left" else width - margin
            for p, q in itertools.pairwise(column):
                crossings += cross(p, q, edge)
        assert crossings == 0


def cross(p, q, edge):
    a, b = np.array([edge, p["slot"] + p["height"] / 2]), np.array([p["x"], p["y"]])
    c, d = np.array([edge, q["slot"] + q["height"] / 2]), np.array([q["x"], q["y"]])

    def turn(o, m, n):
        return np.sign((m[0] - o[0]) * (n[1] - o[1]) - (m[1] - o[1]) * (n[0] - o[0]))

    return turn(a, b, c) != turn(a, b, d) and turn(c, d, a) != turn(c, d, b)


# --- the widget ---


@pytest.fixture
def viewer(mount):
    """A viewer below a text that names two of its parts; every error of the page is kept in `errors`."""

    def show(scene="vertebra", seed=3, **kwargs):
        mounted = mount(anatomy(scene, seed=seed), **kwargs)
        page = mounted.page
        mounted.errors = []
        page.on("pageerror", lambda error: mounted.errors.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and mounted.errors.append(said.text))
        page.emulate_media(reduced_motion="reduce")
        page.evaluate("(text) => document.body.insertAdjacentHTML('afterbegin', text)", TEXT)
        page.locator(".va-label").first.wait_for(state="attached")
        return mounted

    return show


def drawn(page):
    """Wait until what was asked of the picture is in it."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")


def labels_of(page):
    """Wait for the fine picture; return the anchors of its labels in page coordinates by part."""
    drawn(page)
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.va-label')].map((g) => {"
        " const { x, y, width, height } = g.querySelector('circle').getBoundingClientRect();"
        " return [g.dataset.name, [x + width / 2, y + height / 2]]; }))"
    )


def pressed(page):
    return page.evaluate("[...document.querySelectorAll('[aria-pressed=true]')].map((b) => b.dataset.name)")


def test_it_opens_in_the_anterior_view_and_steps_through_six(viewer):
    page = viewer().page
    shown = []
    for _ in range(6):
        shown.append(page.locator('[data-part="view"]').text_content())
        page.get_by_role("button", name="Next view").click()
    assert shown == [f"{name} view" for name in VIEWS]
    assert page.locator('[data-part="view"]').text_content() == "Anterior view"
    page.get_by_role("button", name="Previous view").click()
    assert page.locator('[data-part="view"]').text_content() == "Inferior view"
    assert page.locator('[data-letter="left"]').text_content() == "R"
    page.get_by_role("button", name="Left lateral").click()
    page.wait_for_function("document.querySelector('[data-letter=left]').textContent === 'A'")


def test_what_a_label_points_at_is_what_a_click_there_selects(viewer):
    shown = viewer("segment")
    page = shown.page
    page.locator(".va-stepper").get_by_role("button", name="Left lateral").click()
    shown_parts = labels_of(page)
    for part, (x, y) in shown_parts.items():
        page.mouse.click(x, y)
        if part != "intervertebral-foramen":  # one looks through it on what is behind
            assert pressed(page) == [part]
            assert shown.widget.selected == part
    assert len(shown_parts) > 8
    # In a corner there is nothing: the selection goes.
    box = page.locator(".va-picture").bounding_box()
    for x, y in ((3, 3), (box["width"] - 3, box["height"] - 3)):
        page.get_by_role("button", name="lamina").click()
        page.mouse.click(box["x"] + x, box["y"] + y)
        assert pressed(page) == []
    assert shown.errors == []


def test_a_part_lights_from_the_list_with_its_role_and_goes_dark_again(viewer):
    shown = viewer()
    page = shown.page
    pixels = "document.querySelector('canvas').toDataURL()"
    before = page.evaluate(pixels)
    button = page.get_by_role("button", name="pedicle")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    page.get_by_role("heading", name="Pedicle").wait_for()
    assert "[lien2007]" in page.locator('[data-part="card"]').text_content()
    assert shown.widget.selected == "pedicle"
    page.wait_for_function("(old) => document.querySelector('canvas').toDataURL() !== old", arg=before)
    page.get_by_role("button", name="Show all parts alike").press("Enter")
    assert pressed(page) == []
    page.wait_for_function("(old) => document.querySelector('canvas').toDataURL() === old", arg=before)
    shown.push(selected="lamina")
    assert pressed(page) == ["lamina"]


def test_the_text_lights_the_picture_and_the_picture_the_text(viewer):
    shown = viewer()
    page = shown.page
    page.evaluate("window.went = []; document.querySelector('#text').addEventListener('click', () => went.push(1))")
    lit = "[...document.querySelectorAll('a.vt-part-lit')].map((a) => a.textContent)"
    link = page.get_by_role("link", name="pedicle")
    link.click()
    assert pressed(page) == ["pedicle"]
    assert page.evaluate(lit) == ["pedicle"]
    assert link.get_attribute("aria-current") == "true"
    # Nobody else hears of it, and the page goes nowhere.
    assert page.evaluate("went") == []
    assert page.url.endswith("localhost/")
    page.get_by_role("button", name="spinous process").click()
    assert page.evaluate(lit) == ["spine"]
    # A mention that comes into the page later is marked as well.
    later = '<a href="#part-spinous-process">again</a><a href="#x">no</a>'
    page.evaluate("(later) => document.body.insertAdjacentHTML('beforeend', later)", later)
    page.wait_for_function(f"{lit}.length === 2")
    # Focus lights for as long as it is there.
    page.get_by_role("button", name="Show all parts alike").click()
    page.mouse.move(0, 0)
    assert page.evaluate(lit) == []
    link.focus()
    assert page.evaluate("document.querySelector('.va').dataset.lit") == "pedicle"
    page.get_by_role("link", name="spine").focus()
    assert page.evaluate(lit) == ["spine", "again"]
    page.get_by_role("link", name="no").focus()
    assert page.evaluate(lit) == []
    link.press("Enter")
    assert pressed(page) == ["pedicle"]
    page.evaluate("cleanUp()")
    assert page.evaluate(lit) == []
    link.click()
    assert page.url.endswith("#part-pedicle")
    assert shown.errors == []


def test_a_link_to_a_part_of_another_viewer_puts_this_one_out(viewer):
    page = viewer().page
    other = '<section class="va" data-parts="intervertebral-foramen"></section>'
    links = '<a href="#part-intervertebral-foramen">foramen</a><a href="#part-nowhere">nowhere</a>'
    page.evaluate("(text) => document.body.insertAdjacentHTML('beforeend', text)", other + links)
    page.get_by_role("link", name="pedicle").click()
    page.get_by_role("link", name="nowhere").click()
    assert pressed(page) == ["pedicle"]
    page.get_by_role("link", name="foramen").click()
    assert pressed(page) == []


def test_whom_a_link_took_far_away_a_button_takes_back(viewer):
    page = viewer().page
    page.get_by_role("link", name="pedicle").click()
    back = page.get_by_role("button", name="Back to the text")
    assert back.count() == 0
    far = '<div style="height: 4000px"></div><p><a href="#part-lamina">far below</a></p>'
    page.evaluate("(far) => document.body.insertAdjacentHTML('beforeend', far)", far)
    page.get_by_role("link", name="far below").click()
    assert page.evaluate("scrollY") < 1500
    back.click()
    assert page.evaluate("scrollY") > 3000
    assert page.evaluate("document.activeElement.textContent") == "far below"


def test_rendered_outside_the_page_it_has_its_colours_when_it_comes_in(viewer):
    page = viewer().page
    brightest = page.evaluate("""async () => {
      const el = document.createElement("div");
      await esm.default.render({ model, el });
      document.body.append(el);
      await new Promise((done) => setTimeout(done, 600));
      const canvas = el.querySelector("canvas");
      const { data } = canvas.getContext("2d").getImageData(0, canvas.height >> 1, canvas.width, 1);
      return Math.max(...data.filter((_, i) => i % 4 === 0));
    }""")
    assert brightest > 150


def test_it_turns_by_mouse_keys_and_buttons_and_comes_back(viewer):
    page = viewer().page
    view_name, back = page.locator('[data-part="view"]'), page.get_by_role("button", name="Back to the fixed view")
    assert back.is_disabled()
    box = page.locator(".va-picture").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=3)
    page.mouse.up()
    assert view_name.text_content() == "Turned freely"
    assert pressed(page) == []
    # The near side followed the pointer to the right: the patient's right side has come into sight.
    page.wait_for_function("document.querySelector('[data-letter=right]').textContent === 'LA'")
    assert page.locator(".va-label").count() == 0
    back.click()
    assert view_name.text_content() == "Anterior view"
    page.locator(".va-picture").focus()
    for key in ["ArrowRight"] * 6:
        page.keyboard.press(key)
    page.wait_for_function("document.querySelector('[data-letter=right]').textContent === 'A'")
    page.keyboard.press("Home")
    assert view_name.text_content() == "Anterior view"
    page.keyboard.press("5")
    assert view_name.text_content() == "Superior view"
    page.keyboard.press("PageDown")
    assert view_name.text_content() == "Inferior view"
    page.get_by_role("button", name="Turn upwards").click()
    assert view_name.text_content() == "Turned freely"


def test_it_turns_smoothly_unless_motion_is_unwelcome(viewer):
    page = viewer().page
    letter = page.locator('[data-letter="right"]')
    # The page's clock is ours: a busy machine draws few pictures in the half second of a turn.
    page.clock.install(time=0)
    page.clock.pause_at(1)

    def turn(view):
        page.locator(f'[data-view="{view}"]').dispatch_event("click")
        for _ in range(10):
            page.clock.run_for(60)
            yield letter.text_content()

    assert set(turn(1)) == {"R"}
    page.emulate_media(reduced_motion="no-preference")
    smooth = list(turn(0))
    assert smooth[0] != "L" and smooth[-1] == "L"
    assert set(smooth) - {"R", "L"}


def test_soft_parts_are_hidden_one_by_one_or_all(viewer):
    page = viewer("segment").page
    page.locator(".va-stepper").get_by_role("button", name="Posterior").click()
    assert "supraspinous-ligament" in labels_of(page)
    page.get_by_role("checkbox", name="Show supraspinous ligament").press("Space")
    every = page.get_by_role("checkbox", name="Show soft parts")
    assert every.evaluate("(box) => box.indeterminate")
    assert "supraspinous-ligament" not in labels_of(page)
    assert "dural-sac" in labels_of(page)
    every.check()
    assert "supraspinous-ligament" in labels_of(page)
    every.uncheck()
    left = labels_of(page)
    assert "lamina" in left
    assert not left.keys() & {"dural-sac", "nerve-root", "supraspinous-ligament", "disc"}


def test_the_other_vertebrae_come_from_python(viewer):
    shown = viewer()
    page = shown.page
    page.get_by_role("radio", name="Real patient").check()
    page.get_by_role("heading", name="The vertebra L1 of a real patient").wait_for()
    assert shown.widget.scene["variant"] == "patient"
    assert "outlined by a program" in page.locator('[data-part="limits"]').text_content()
    assert page.get_by_role("checkbox", name="Show soft parts").count() == 0
    page.get_by_role("radio", name="Wedge fracture of L1").check()
    page.get_by_role("heading", name="with a wedge fracture").wait_for()
    shown.push(problem="It broke.")
    page.get_by_role("alert").get_by_text("It broke.").wait_for()
    assert shown.errors == []


def question(page):
    return re.fullmatch(r"\d+\. Find the (.*)\.", page.locator('[data-part="question"]').text_content())[1]


def answered(page):
    return page.locator('[data-part="feedback"] p').first.text_content()


def test_the_drill_is_done_by_keyboard_alone_and_keeps_its_answers_to_itself(viewer):
    shown = viewer()
    page = shown.page
    names = {region["name"]: region for region in shown.widget.scene["regions"]}
    page.get_by_role("radio", name="Find it").press("Space")
    page.get_by_role("checkbox", name="Numbered places").press("Space")
    right = 0
    for asked in range(1, 5):
        drawn(page)
        wanted = question(page)
        assert wanted in names
        markers = page.locator("[data-marker]:visible")
        assert markers.count() >= 2
        # Before the answer nothing in the viewer but the question names a part, and nothing is lit.
        stage = page.locator(".va-stage").evaluate("(stage) => stage.outerHTML")
        assert not any(name in stage for name in names)
        assert page.locator('[data-part="feedback"]').text_content() == ""
        assert page.locator(".va-label").count() == 0
        assert page.get_by_role("button", name="pedicle").count() == 0
        page.get_by_role("link", name="pedicle").click()
        assert page.locator("a.vt-part-lit").count() == 0
        if asked % 2:
            markers.nth(0).focus()
            page.keyboard.press("Enter")
        else:
            page.locator(".va-picture").focus()
            page.keyboard.press("2")
        said = answered(page)
        if said.startswith("Correct"):
            assert said == f"Correct: the {wanted}."
            right += 1
        else:
            got = re.fullmatch(r"No, that is the (.*)\. The (.*) is lit now\.", said)
            assert got[1] in names
            assert got[1] != wanted
            assert got[2] == wanted
            sides = page.get_by_text("the side is not").count()
            assert sides == (names[got[1]]["part"] == names[wanted]["part"])
        assert page.locator('[data-part="score"]').text_content() == f"{right} of {asked} correct"
        assert page.get_by_role("button", name="Next question").evaluate("(b) => b === document.activeElement")
        page.keyboard.press("Enter")
    page.get_by_role("radio", name="Explore").press("Space")
    assert page.locator('[data-part="view"]').text_content() == "Anterior view"
    assert shown.errors == []


def test_the_drill_knows_what_was_clicked(viewer):
    """A click on the place of a marker is the answer that marker gives."""
    page = viewer(seed=8).page
    page.get_by_role("radio", name="Find it").check()
    page.get_by_role("checkbox", name="Numbered places").check()
    told = []
    for by in ("mouse", "marker"):
        if by == "marker":  # the same seed asks the same again
            page = viewer(seed=8).page
            page.get_by_role("radio", name="Find it").check()
            page.get_by_role("checkbox", name="Numbered places").check()
        for number in range(2):
            drawn(page)
            box = page.locator("[data-marker]:visible").nth(number % 2).bounding_box()
            if by == "mouse":
                page.get_by_role("checkbox", name="Numbered places").uncheck()
                page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
                page.get_by_role("checkbox", name="Numbered places").check()
            else:
                page.locator("[data-marker]:visible").nth(number % 2).click()
            told.append((question(page), answered(page)))
            page.get_by_role("button", name="Next question").click()
    assert told[:2] == told[2:]
    assert len({asked for asked, _ in told}) == 2
    # What is no part at all is no answer.
    drawn(page)
    box = page.locator(".va-picture").bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] - 4)
    assert "nothing at that place" in answered(page)
    assert page.locator('[data-part="score"]').text_content().endswith("of 2 correct")


def test_axe_finds_nothing_in_either_mode_and_theme(viewer):
    page = viewer("segment").page
    page.get_by_role("button", name="lamina").click()
    for mode in ("Explore", "Find it"):
        page.get_by_role("radio", name=mode).check()
        if mode == "Find it":
            page.get_by_role("checkbox", name="Numbered places").check()
        for light in ("true", "false"):
            page.evaluate("(light) => { document.body.dataset.jpThemeLight = light; }", light)
            drawn(page)
            found = Axe().run(page, context=".va")
            assert found.violations_count == 0, (mode, light, found.generate_report())


def test_the_picture_follows_the_theme_while_it_is_open(viewer):
    page = viewer().page
    drawn(page)
    light = page.evaluate("document.querySelector('canvas').toDataURL()")
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    page.wait_for_function("(old) => document.querySelector('canvas').toDataURL() !== old", arg=light)


def test_targets_are_large_enough_and_a_phone_does_not_scroll_sideways(viewer):
    page = viewer("segment", width=360).page
    small = page.evaluate(
        "[...document.querySelectorAll('.va button, .va input')].filter((e) => e.offsetParent).map((e) => {"
        " const { width, height } = e.getBoundingClientRect(); return [e.outerHTML.slice(0, 60), width, height]; })"
        ".filter(([, width, height]) => Math.min(width, height) < 24)"
    )
    assert small == []
    # Labels become the numbers of the list.
    shown = page.evaluate("[...document.querySelectorAll('.va-label text')].map((t) => t.textContent)")
    assert shown
    assert all(text.isdigit() for text in shown)
    for mode in ("Explore", "Find it"):
        page.get_by_role("radio", name=mode).check()
        assert fits(page)


def test_no_key_leaves_the_viewer_and_the_clean_up_takes_everything_back(viewer):
    shown = viewer()
    page = shown.page
    listen(page)
    page.locator(".va-picture").focus()
    for key in ("d", "d", "ArrowLeft", "3", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]
    page.evaluate("cleanUp(); fromPython({ selected: 'body', problem: 'x', scene: model.get('scene') })")
    page.evaluate("document.body.dataset.jpThemeLight = 'false'; document.querySelector('#text').remove()")
    page.wait_for_timeout(300)
    assert page.locator(".va").count() == 0
    assert shown.errors == []


def test_the_committed_plates_are_what_the_viewer_draws(chromium):
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from build_anatomy_views import views
    finally:
        sys.path.pop(0)
    stored = Image.open(assets.path(picture("vertebra"))).convert("RGB")
    drawn = Image.open(io.BytesIO(views(chromium, "vertebra"))).convert("RGB")
    assert drawn.size == stored.size
    difference = np.abs(np.asarray(drawn, float) - np.asarray(stored, float))
    assert difference.mean() < 1.0, "run tools/build_anatomy_views.py again"
