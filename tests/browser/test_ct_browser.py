"""The CT browser in a real Chromium: every place where it should be, the drill fair, all of it by keyboard alone."""

import re

import numpy as np
import pytest
from scipy import ndimage

from ct_phantom import column
from pages import axe, fits, listen
from vertebra.imaging import ct as imaging
from vertebra.imaging.structures import divide, oriented
from vertebra.widgets.ct import CtBrowser, ct_browser, record

pytestmark = pytest.mark.browser
NAMES = imaging.STRUCTURES | {imaging.NUMBERS["spinal cord"]: "cord or cauda equina"}
# Each picture: the axis across and down (0 x, 1 y, 2 z); both run against the axis: R to L, A to P, S to I.
PLANES = {"axial": (0, 1, 2), "sagittal": (1, 2, 0), "coronal": (0, 2, 1)}


def small(change=None):
    """A widget with the column of blocks; `change` may alter the scan, whose axes run left, back and down."""
    ct, _ = column()
    scan = oriented(ct.image, ct.labels)
    if change:
        scan = scan._replace(hu=change(scan))
    shown = record(scan, "Column of blocks", "for a test", "blocks") | {"computed": False}
    return CtBrowser([shown], bytes, "L1"), scan


def ready(mounted):
    page = mounted.page
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.locator('[aria-busy="false"]').wait_for()
    page.wait_for_function("document.querySelector('[data-part=structure]').textContent")
    return page


def view(page, plane):
    return page.get_by_role("application", name=f"{plane} plane")


def settled(page):
    """Wait until what was asked for is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def readout(page, part="structure"):
    settled(page)
    return page.locator(f'[data-part="{part}"]').text_content()


def voxels(page):
    """The crosshair's voxel, as the three sliders have it: (i, j, k)."""
    settled(page)
    at = [0, 0, 0]
    for plane, (_, _, through) in PLANES.items():
        at[through] = int(page.locator(f'[data-slice="{plane}"]').input_value())
    return at


def pixel(page, plane, world, first, size):
    """Where a place of the patient lies in a picture at zoom 1, px of the page, by the scanner's geometry alone."""
    box = view(page, plane).bounding_box()
    across, down, _ = PLANES[plane]
    return (
        box["x"] + (first[across] - world[across]) / size[across] * box["width"],
        box["y"] + (first[down] - world[down]) / size[down] * box["height"],
    )


def bounds(ct):
    """The right, front, upper corner of a CT, and its size, mm, from the file's affine."""
    corners = ct.image.to_world([[-0.5, -0.5, -0.5], np.array(ct.image.data.shape) - 0.5])
    return corners.max(axis=0), np.ptp(corners, axis=0)


def test_a_click_in_each_plane_finds_the_structure_where_the_scanner_says_it_is(mount):
    """Left and right, front and back, head and feet, on the real patient."""
    browser = mount(ct_browser())
    page = ready(browser)
    first, size = bounds(imaging.patient())
    labels = imaging.patient().labels
    for plane, names in (
        ("axial", ("aorta", "left erector spinae")),
        ("sagittal", ("T10", "L2")),
        ("coronal", ("left psoas", "liver")),
    ):
        through = PLANES[plane][2]
        for name in names:
            inside = labels.to_world(np.argwhere(labels.data == imaging.NUMBERS[name]))
            inside = inside[np.abs(inside - np.median(inside, axis=0))[:, through] < 2]
            world = inside[np.linalg.norm(inside - inside.mean(axis=0), axis=1).argmin()]
            slider = page.locator(f'[data-slice="{plane}"]')
            slider.fill(str(round((first[through] - world[through]) / labels.spacing[through] - 0.5)))
            page.mouse.click(*pixel(page, plane, world, first, size))
            assert readout(page).split(",")[0] == name
        assert page.evaluate(f"esm.PLANES.{plane}.letters") == {"a": "RLAP", "s": "APSI", "c": "RLSI"}[plane[0]]
    page.wait_for_timeout(350)  # the crosshair is told to Python when it has come to rest
    assert np.abs(np.array(browser.widget.crosshair) - world).max() <= labels.spacing.max() / 2 + 0.5
    assert page.complaints == []


def test_javascript_and_python_agree_at_random_points(mount):
    widget = ct_browser()
    page = ready(mount(widget))
    rng = np.random.default_rng(4)
    shape = widget.scans[0]["shape"]
    at = rng.integers(0, shape, (600, 3))
    told = page.evaluate(
        """async (points) => {
          const scan = await esm.unpack(model.get("scans")[0]);
          return points.map((at) => [esm.world(scan, at), esm.hounsfield(scan, at), esm.structure(scan, at),
            esm.voxel(scan, esm.world(scan, at))]);
        }""",
        at.tolist(),
    )
    ct = imaging.patient()
    world = np.array([place for place, *_ in told])
    hu, labels = ct.image.sample(world, order=0), ct.labels.sample(world, order=0, outside=0)
    assert np.abs(hu - ct.image.sample(world, order=1)).max() < 1  # the places are voxel centres
    for (_, shown, name, back), real, label, asked in zip(told, hu, labels, at.tolist(), strict=True):
        assert abs(shown - np.clip(real, -1000, 2940)) <= (4 if -200 < real < 290 else 20 if real < 1400 else 80)
        expected = NAMES.get(int(label), "")
        assert name.split(",")[0] == expected or (not label and re.match("not labelled|disc|spinal canal", name))
        assert back == asked


def marker(page, plane):
    """The middle of what is white in a picture, CSS px from its corner."""
    settled(page)
    return page.evaluate(
        """(plane) => {
          const canvas = document.querySelector(`[data-plane=${plane}] canvas`);
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          let [sum, x, y] = [0, 0, 0];
          // Letters and the scale bar are white too: they lie at the edge.
          for (let row = Math.round(height * 0.12); row < height * 0.88; row++)
            for (let column = Math.round(width * 0.12); column < width * 0.88; column++) {
              const at = 4 * (row * width + column);
              if (Math.min(data[at], data[at + 1], data[at + 2]) < 128) continue;
              sum += 1; x += column + 0.5; y += row + 0.5;
            }
          return [x / sum * canvas.clientWidth / width, y / sum * canvas.clientHeight / height];
        }""",
        plane,
    )


@pytest.mark.parametrize("zoom", [1, 2])
def test_what_is_drawn_lies_to_the_pixel_where_it_should(mount, zoom):
    """A white block of known place, right, in front and above the middle: its picture, both axes, within a pixel."""
    block = (slice(20, 30), slice(70, 84), slice(18, 24))

    def change(scan):
        hu = np.full_like(scan.hu, -1000)
        hu[block] = 3000
        return hu

    widget, scan = small(change)
    page = ready(mount(widget))
    centre = np.array([(part.start + part.stop) / 2 for part in block])  # in voxels from the volume's corner
    for plane, (_, _, through) in PLANES.items():
        page.locator(f'[data-slice="{plane}"]').fill(str(int(centre[through])))
    assert voxels(page) == centre.astype(int).tolist()
    page.get_by_role("slider", name="Zoom").fill(str(zoom))
    settled(page)
    size = np.array(scan.hu.shape) * scan.spacing
    for plane, (across, down, _) in PLANES.items():
        box = view(page, plane).bounding_box()
        scale = zoom * box["width"] / size[across]
        assert box["height"] / box["width"] == pytest.approx(size[down] / size[across], abs=0.01)
        corner = []
        for axis, length in ((across, box["width"]), (down, box["height"])):
            seen = length / scale
            here = (int(centre[axis]) + 0.5) * scan.spacing[axis]
            corner.append(np.clip(here - seen / 2, 0, size[axis] - seen) if zoom > 1 else 0)
        expected = [(centre[axis] * scan.spacing[axis] - corner[n]) * scale for n, axis in enumerate((across, down))]
        # The crosshair's gap lies inside the block and does not move its middle by more than this.
        assert marker(page, plane) == pytest.approx(expected, abs=1.2)


def test_as_many_pixels_are_as_many_mm_on_both_axes(mount):
    widget, scan = small()
    browser = mount(widget)
    page = ready(browser)
    for plane, (across, down, through) in PLANES.items():
        box = view(page, plane).bounding_box()
        per_mm = box["width"] / (scan.hu.shape[across] * scan.spacing[across])
        x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"]
        page.mouse.click(x, y)
        before = np.array(voxels(page))
        page.mouse.click(x + 25 * per_mm, y + 25 * per_mm)
        moved = (np.array(voxels(page)) - before) * scan.spacing
        assert abs(moved[across] - 25) <= scan.spacing[across]
        assert abs(moved[down] - 25) <= scan.spacing[down]
        assert moved[through] == 0
    bar = page.evaluate("""() => ["axial", "sagittal", "coronal"].map((name) => {
      const plane = esm.PLANES[name], scan = model.get("scans")[0];
      return esm.frame(plane, scan, 300, 1, [0, 0]).scale * scan.shape[plane.across] * scan.spacing[plane.across];
    })""")
    assert bar == pytest.approx([300, 300, 300])


def test_whatever_moves_the_crosshair_moves_it_in_all_planes(mount):
    """Fifty random clicks, keys, slider and wheel steps: one place, shown alike everywhere, never outside."""
    widget, scan = small()
    page = ready(mount(widget))
    rng = np.random.default_rng(8)
    last = np.array(scan.hu.shape) - 1
    at = np.array(voxels(page))
    keys = {"ArrowLeft": (0, -1), "ArrowRight": (0, 1), "ArrowUp": (1, -1), "ArrowDown": (1, 1), "PageUp": (2, -1)}
    keys["PageDown"] = (2, 1)
    for _ in range(50):
        plane = str(rng.choice(list(PLANES)))
        axes = PLANES[plane]
        kind = rng.choice(["click", "key", "slider", "wheel"])
        if kind == "click":
            box = view(page, plane).bounding_box()
            share = rng.uniform(0.01, 0.99, 2)
            page.mouse.click(box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"])
            for n, axis in enumerate(axes[:2]):
                at[axis] = int(share[n] * scan.hu.shape[axis])
            assert np.abs(np.array(voxels(page)) - at).max() <= 1  # a click on the border of two voxels
            at = np.array(voxels(page))
        elif kind == "key":
            name = str(rng.choice(list(keys)))
            view(page, plane).press(name)
            at[axes[keys[name][0]]] += keys[name][1]
        elif kind == "slider":
            at[axes[2]] = rng.integers(0, last[axes[2]] + 1)
            page.locator(f'[data-slice="{plane}"]').fill(str(at[axes[2]]))
        else:
            view(page, plane).focus()
            view(page, plane).hover()
            page.mouse.wheel(0, 40)
            page.wait_for_function(
                "([plane, from]) => Number(document.querySelector(`[data-slice=${plane}]`).value) !== from"
                " || document.querySelector(`[data-slice=${plane}]`).max == from",
                arg=[plane, int(at[axes[2]])],
            )
            at[axes[2]] += 1
        at = np.clip(at, 0, last)
        assert voxels(page) == at.tolist()
    spots = page.evaluate(
        """(at) => Object.values(esm.PLANES).map((plane) => {
      const box = esm.frame(plane, model.get("scans")[0], 300, 1, [0, 0]);
      return box.toVoxel(box.toPixel(at), [...at]);
    })""",
        at.tolist(),
    )
    assert spots == [at.tolist()] * 3
    page.wait_for_timeout(400)
    assert np.allclose(widget.crosshair, scan.origin - at * scan.spacing, atol=2e-3)
    assert page.complaints == []


def test_python_can_point(mount):
    widget, scan = small()
    browser = mount(widget)
    page = ready(browser)
    target = next(each for each in widget.scans[0]["targets"] if each["ask"] == "the left pedicle of T12")
    browser.push(crosshair=(scan.origin - np.array(target["best"]) * scan.spacing).tolist())
    assert readout(page) == "T12, left pedicle"
    browser.push(crosshair=[9999.0, -9999.0, 9999.0])
    assert voxels(page) == [0, scan.hu.shape[1] - 1, 0]


def test_the_sliders_at_their_corners_and_the_two_windows(mount):
    widget, _ = small()
    page = ready(mount(widget))
    mean = """() => { const c = document.querySelector("[data-plane=axial] canvas");
      const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
      return data.reduce((sum, v, n) => sum + (n % 4 ? 0 : v), 0) / (data.length / 4); }"""
    grey = {}
    for level in ("-500", "1500"):
        for width in ("50", "3000"):
            for zoom in ("1", "5"):
                for name, value in (("Level", level), ("Width", width), ("Zoom", zoom)):
                    page.get_by_role("slider", name=name).fill(value)
                settled(page)
                grey[level, width, zoom] = page.evaluate(mean)
    assert grey["-500", "50", "1"] > 230  # everything lies above the window
    assert grey["1500", "50", "1"] < 25  # everything below it
    assert grey["1500", "50", "1"] < grey["1500", "3000", "1"] < grey["-500", "3000", "1"] < grey["-500", "50", "1"]
    page.get_by_role("button", name="Soft tissue").click()
    settled(page)
    assert page.get_by_role("slider", name="Level").input_value() == "40"
    assert page.get_by_role("slider", name="Width").input_value() == "400"
    assert page.get_by_role("button", name="Soft tissue").get_attribute("aria-pressed") == "true"
    assert page.get_by_role("button", name="Bone").get_attribute("aria-pressed") == "false"
    for name in ("axial", "sagittal", "coronal", "none"):
        page.get_by_role("combobox", name="Enlarge").select_option(label=name)
        settled(page)
    assert page.complaints == []


def test_the_judgement_is_that_of_a_distance_transform(mount):
    """Found, distance and way to the target at random marks, against scipy on the same codes."""
    widget, scan = small()
    page = ready(mount(widget))
    first = widget.scans[0]
    codes, _ = divide(scan)
    rng = np.random.default_rng(6)
    targets = [first["targets"][n] for n in rng.choice(len(first["targets"]), 8, replace=False)]
    marks = rng.integers(0, scan.hu.shape, (12, 3)).tolist()
    told = page.evaluate(
        """async ([targets, marks]) => {
          const scan = await esm.unpack(model.get("scans")[0]);
          return targets.map((target) => [target.best, ...marks].map((at) => esm.judge(scan, target, at, 2)));
        }""",
        [targets, marks],
    )
    seen = set()
    for target, answers in zip(targets, told, strict=True):
        inside = np.isin(codes, target["codes"])
        depth = ndimage.distance_transform_edt(~inside, sampling=scan.spacing)
        for at, answer in zip([target["best"], *marks], answers, strict=True):
            far = depth[tuple(at)]
            assert answer["distance"] == pytest.approx(far, abs=1e-4)
            assert np.linalg.norm(answer["away"]) == pytest.approx(far, abs=1e-4)
            found = bool(inside[tuple(at)]) or (codes[tuple(at)] == 0 and far <= 2)
            assert answer["found"] == found
            seen.add(found)
        assert answers[0]["found"]
        assert answers[0]["distance"] == 0
    assert seen == {True, False}
    words = page.evaluate("esm.inWords([12.3, -4.6, 0.2])")
    assert words == "12 mm to the patient's right and 5 mm further back"


def keys_to(page, plane, start, goal):
    """Press arrows and Page Up or Down in one picture until the crosshair is at `goal`."""
    across, down, through = PLANES[plane]
    field = view(page, plane)
    field.focus()
    pairs = ((across, "ArrowRight", "ArrowLeft"), (down, "ArrowDown", "ArrowUp"), (through, "PageDown", "PageUp"))
    for axis, more, less in pairs:
        for _ in range(abs(goal[axis] - start[axis])):
            page.keyboard.press(more if goal[axis] > start[axis] else less)


def asked(page, widget):
    task = page.locator('[data-part="task"] strong').text_content()
    return next(target for target in widget.scans[0]["targets"] if target["ask"] == task)


def test_the_drill_by_keyboard_alone_and_it_leaks_nothing(mount):
    widget, _ = small()
    browser = mount(widget)
    page = ready(browser)
    page.evaluate("kernel.dead = true")  # and without a kernel
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.get_by_text("You start in the body of").wait_for()
    found = 0
    for n in range(1, 4):
        target = asked(page, widget)
        settled(page)
        page.wait_for_timeout(450)  # the status line for screen readers has spoken
        shown = page.locator(".ct").inner_text() + page.locator('[data-part="told"]').text_content()
        shown += str(page.evaluate("[...document.querySelectorAll('[aria-valuetext]')].map((e) => e.ariaValueText)"))
        begin = re.search(r"You start in the body of (\w+)\.", shown).group(1)
        assert begin not in target["ask"]
        rest = shown.replace(f"Find {target['ask']}.", "").replace(f"You start in the body of {begin}.", "")
        assert not re.search(r"\b(T12|L1|L2)\b|pedicle,|spinous process$", rest.split("R, L, A, P")[0]), rest
        assert page.locator('[data-part="structure"]').text_content() == "hidden"
        assert not page.get_by_role("checkbox", name="Outline").is_visible()
        if n == 2:  # marked where the question begins: wrong
            view(page, "sagittal").press("Enter")
            page.get_by_text(re.compile(rf"Not found: you marked {begin}, body\. From there .* mm away")).wait_for()
            assert voxels(page) == target["best"]
        else:
            keys_to(page, "sagittal" if n == 1 else "axial", voxels(page), target["best"])
            page.keyboard.press("Enter")
            page.get_by_text(re.compile("^Found: ")).wait_for()
            found += 1
        page.get_by_text(f"Score: {found} of {n} found").wait_for()
        assert readout(page) != "hidden"
        page.keyboard.press("Enter")  # the next one
    assert page.evaluate("model.get('score')") == {"asked": 3, "found": 2}
    assert page.complaints == []


def test_the_drill_by_mouse_show_me_and_what_was_missed_comes_back(mount):
    widget, scan = small()
    browser = mount(widget)
    page = ready(browser)
    page.get_by_role("radio", name="Find the structure").check()
    missed = asked(page, widget)["ask"]
    page.get_by_role("button", name="Show me").click()
    page.get_by_text("The crosshair has moved into it").wait_for()
    assert readout(page) != "hidden"
    assert page.evaluate("document.activeElement.textContent") == "Next structure"
    page.get_by_role("button", name="Next structure").click()
    tasks = []
    for _ in range(4):
        target = asked(page, widget)
        tasks.append(target["ask"])
        for plane, (across, down, _) in PLANES.items():  # two pictures together reach any voxel
            box = view(page, plane).bounding_box()
            x, y = ((target["best"][axis] + 0.5) / scan.hu.shape[axis] for axis in (across, down))
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.get_by_role("button", name="This is it").click()
        page.get_by_text(re.compile("^Found: ")).wait_for()
        page.get_by_role("button", name="Next structure").click()
    assert tasks[3] == missed
    assert missed not in tasks[:3]
    assert browser.widget.score == {"asked": 5, "found": 4}
    page.get_by_role("radio", name="Look around").check()
    assert not page.get_by_role("button", name="This is it").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    widget, _ = small()
    page = ready(mount(widget, theme))
    page.get_by_role("checkbox", name="Outline").check()
    settled(page)
    assert page.get_by_role("list", name="Colours of the outlines").get_by_role("listitem").count() == 7
    axe(page)
    page.get_by_role("radio", name="Find the structure").check()
    page.get_by_role("button", name="This is it").click()
    axe(page)


def test_names_roles_and_sizes(mount):
    widget, _ = small()
    page = ready(mount(widget))
    assert page.get_by_role("region", name="CT browser").count() == 1
    for name in ("axial slice", "sagittal slice", "coronal slice", "Level", "Width", "Zoom"):
        assert page.get_by_role("slider", name=name).count() == 1
    assert page.get_by_role("group", name="Jump to a level").get_by_role("button").all_text_contents() == [
        "T12",
        "L1",
        "L2",
    ]
    page.get_by_role("button", name="T12").click()
    assert readout(page) == "T12, body"
    assert "nearest level T12" in page.get_by_role("slider", name="axial slice").get_attribute("aria-valuetext")
    page.get_by_text("LIDC-IDRI-0001, Armato").wait_for()
    page.get_by_text("CC BY 3.0").wait_for()
    page.locator('[data-part="told"]').get_by_text("T12, body. about").wait_for(state="attached")
    boxes = page.evaluate(
        "[...document.querySelectorAll('button, input, select, label')].filter((e) => e.offsetParent).map((e) => {"
        " const { width, height } = e.getBoundingClientRect(); return [e.outerHTML.slice(0, 60), width, height]; })"
    )
    assert [box for box in boxes if min(box[1:]) < 23.9] == []


def test_no_key_leaves_the_widget(mount):
    widget, _ = small()
    page = ready(mount(widget))
    listen(page)
    view(page, "axial").focus()
    for key in ("d", "d", "ArrowLeft", "PageDown", "+", "Home", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_nothing_scrolls_sideways_and_a_picture_lets_the_page_scroll_until_it_is_tapped(mount, width):
    widget, _ = small()
    page = ready(mount(widget, width=width))
    for mode in ("Look around", "Find the structure"):
        page.get_by_role("radio", name=mode).tap()
        assert fits(page)
    page.get_by_role("radio", name="Look around").tap()
    field = view(page, "axial")
    action = "(e) => getComputedStyle(e).touchAction"
    assert "pan-y" in field.evaluate(action)
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    at = voxels(page)
    assert abs(at[0] / widget.scans[0]["shape"][0] - 0.25) < 0.02
    assert field.evaluate(action) == "none"
    assert view(page, "axial").bounding_box()["width"] > 0.8 * width


def test_the_wheel_scrolls_the_page_until_a_picture_is_chosen(mount):
    widget, _ = small()
    page = ready(mount(widget))
    page.evaluate("document.body.style.height = '4000px'")
    before = voxels(page)
    view(page, "axial").hover()
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 0")
    assert voxels(page) == before


def test_a_browser_that_cannot_unpack_says_so(mount):
    widget, _ = small()
    page = ready(mount(widget))
    page.evaluate("""() => { delete window.DecompressionStream;
      const el = document.body.appendChild(document.createElement("div")); esm.default.render({ model, el }); }""")
    page.get_by_role("alert").get_by_text("too old to unpack the CT").wait_for()
    page.locator(".ct").last.get_by_role("button", name="Bone").click()
    assert page.complaints == []


def test_the_clean_up_takes_every_listener_back(mount):
    widget, _ = small()
    page = ready(mount(widget))
    view(page, "axial").press("ArrowLeft")
    page.evaluate("cleanUp(); document.querySelector('.vt').remove()")
    page.evaluate("fromPython({ crosshair: [0, 0, 0] })")
    page.wait_for_timeout(600)
    assert page.complaints == []


def test_the_variant_can_be_laid_over_its_original(mount):
    """One crosshair for both, and what is computed is called so."""
    widget, _ = small()
    other = {**widget.scans[0], "title": "Computed fracture variant", "tab": "variant", "computed": True}
    both = CtBrowser([other, widget.scans[0]], bytes, "L1", drill=False)
    page = ready(mount(both))
    assert page.get_by_role("radio", name="Find the structure").count() == 0
    badge = page.locator('[data-part="title"]')
    assert badge.text_content() == "Computed fracture variant"
    view(page, "coronal").press("Shift+ArrowDown")
    place = voxels(page)
    page.get_by_role("radio", name="blocks").check()
    assert voxels(page) == place
    assert badge.text_content() == "Column of blocks"


def test_enter_held_down_answers_one_question_only(mount):
    widget, _ = small()
    page = ready(mount(widget))
    page.get_by_role("radio", name="Find the structure").check()
    view(page, "axial").focus()
    for _ in range(6):  # without a key up between them: the key is held
        page.keyboard.down("Enter")
    page.get_by_text("Score: ").wait_for()
    assert page.evaluate("model.get('score').asked") == 1
    assert page.get_by_role("button", name="Next structure").is_visible()
