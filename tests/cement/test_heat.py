"""The heat of curing: against exact solutions, an independent solver, the energy released, and what was published.

`ROWS` recomputes every row of the simulator's page.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.sparse import block_array, diags_array, eye_array
from scipy.special import erf, j1

from validation import validates
from vertebra.assets import parameters
from vertebra.cement.heat import REACH, Charge, Tissue, cure, diffuse, grid, in_syringe, leak, tissue
from vertebra.cement.material import CEMENTS
from vertebra.simulators import page

TABLE = {name: parameter.value for name, parameter in parameters("materials/cement.csv").items()}
LOW, HIGH = CEMENTS["low viscosity"], CEMENTS["high viscosity"]
BONE = tissue("bone")


def hot_sphere(seconds, radius=10.0, conductivity=0.35, capacity=2.6e6):
    """Return the exact temperature in the middle of a sphere that was 1 in a medium that was 0."""
    reach = 2 * math.sqrt(conductivity / capacity * seconds)
    ratio = radius * 1e-3 / reach
    return erf(ratio) - 2 * ratio / math.sqrt(math.pi) * math.exp(-(ratio**2))


def cooled_sphere(seconds, step=1.0, radius=10.0, conductivity=0.35, capacity=2.6e6):
    """Return the same as computed."""
    mesh, even = grid(radius), Tissue(capacity, conductivity)
    start = np.where(np.arange(len(mesh.centres)) < mesh.inner, 1.0, 0.0)
    return diffuse(mesh, start, even, even, seconds, step, far=0.0)[1][-1, 0]


def heat_kept(volume_ml=6.0, fraction=0.88, seconds=600.0):
    """Return the heat in cement and bone after a run as a share of what the cure has released."""
    radius = float(np.cbrt(3000 * volume_ml / fraction / 4 / np.pi))
    mesh = grid(radius)
    inside = BONE.mixed(Tissue(LOW.capacity, LOW.conductivity), fraction)
    start = np.full(len(mesh.centres), 37.0)
    charge = Charge(LOW, fraction, 120.0)
    _, temperature, cured = diffuse(mesh, start, inside, BONE, seconds, charge=charge)
    capacity = np.where(np.arange(len(start)) < mesh.inner, inside.capacity, BONE.capacity) * mesh.volumes
    released = LOW.heat * fraction * ((cured[-1] - cured[0]) * mesh.volumes[: mesh.inner]).sum()
    return float((capacity * (temperature[-1] - start)).sum() / released)


ROWS = {
    "sphere": lambda: 100 * cooled_sphere(200),
    "energy": lambda: 100 * heat_kept(),
    "clock": lambda: LOW.window(18).sets / LOW.window(24).sets,
    "setting_koh": lambda: LOW.window(20).sets,
    "liquid_lai": lambda: LOW.window(22).opens / 60,
    "handling_lai": lambda: LOW.window(22).sets / 60,
    "syringe_lai": lambda: in_syringe(room=22.0).sets / 60,
    "ice_lai": lambda: LOW.window(0).sets / 60,
    "halved_nicholas": lambda: LOW.window(37).sets / LOW.window(25).sets,
    "setting_meyer": lambda: HIGH.window(23).sets / 60,
    "thick_meyer": lambda: float(HIGH.viscosity(195)),
    "window_low": lambda: LOW.window(23).length / 60,
    "window_high": lambda: HIGH.window(23).length / 60,
    "ceiling": lambda: 37 + LOW.heat / LOW.capacity,
    "centre_belkoff": lambda: cure(6.0).centre,
    "dwell_belkoff": lambda: cure(6.0).above(50, -cure(6.0).radius) / 60,
    "canal_belkoff": lambda: cure(6.0).peak(5),
    "canal_2012": lambda: cure(6.0).peak(5),
    "centre_anselmetti": lambda: cure(4.0).centre,
    "centre_porcine": lambda: cure(4.0).centre,
    "wall_porcine": lambda: cure(4.0).peak(5),
    "dwell_porcine": lambda: cure(4.0).above(45, -cure(4.0).radius),
    "leak_porcine": lambda: leak(0.5).interface,
    "interface_goat": lambda: cure(0.8).interface,
    "epidural_goat": lambda: cure(0.8).peak(5),
}


@pytest.mark.parametrize("row", page("heat").rows, ids=lambda row: row.id)
def test_every_row_of_the_page_is_what_the_model_computes(row):
    assert ROWS[row.id]() == pytest.approx(row.computed, rel=2e-3)


def test_the_page_counts_its_own_agreements_right():
    rows = page("heat").rows
    assert [row.id for row in rows] == list(ROWS)
    free = [row for row in rows if row.source != "analytic" and not row.note.startswith("Fitted")]
    agree = sum(row.agrees for row in free)
    said = f"{len(free)} published numbers to which nothing was fitted: {agree} agree and {len(free) - agree} differ"
    assert said in page("heat").validated
    assert all(row.note.startswith("Differs") for row in rows if not row.agrees)


# --- exact solutions


@validates(
    "cement.heat",
    "Cooling of a hot sphere",
    against="the exact solution",
    kind="analytic",
    tolerance="0.003 of the value",
)
@pytest.mark.parametrize("seconds", [60, 200, 600])
def test_a_hot_sphere_cools_as_the_exact_solution_says(seconds):
    assert cooled_sphere(seconds) == pytest.approx(hot_sphere(seconds), rel=0.003)


def test_the_cooling_of_a_sphere_converges():
    exact = hot_sphere(200)
    errors = [abs(cooled_sphere(200, step=step) - exact) for step in (20.0, 10.0)]
    assert errors[1] < errors[0] < 0.05 * exact


@validates(
    "cement.heat",
    "Cooling of a hot thread",
    against="an integral of Bessel functions",
    kind="analytic",
    tolerance="0.003 of the value",
)
def test_a_hot_thread_cools_as_the_exact_solution_says():
    radius, seconds, even = 3e-3, 60.0, Tissue(2.6e6, 0.35)
    reach = even.conductivity / even.capacity * seconds / radius**2
    exact, _ = quad(lambda u: math.exp(-reach * u * u) * j1(u), 0, 60, limit=400)
    mesh = grid(3.0, thread=True)
    start = np.where(np.arange(len(mesh.centres)) < mesh.inner, 1.0, 0.0)
    got = diffuse(mesh, start, even, even, seconds, step=0.5, far=0.0)[1][-1, 0]
    assert got == pytest.approx(exact, rel=0.003)
    assert exact == pytest.approx(1 - math.exp(-1 / (4 * reach)), rel=1e-6)  # the integral's own closed form


def test_the_cure_releases_what_stays_as_heat():
    assert heat_kept() == pytest.approx(1, rel=0.005)


@validates("cement.heat", "Cooling by blood", against="an exponential", kind="analytic", tolerance="0.01 of the value")
def test_blood_takes_the_heat_at_the_rate_of_its_flow():
    """With the same tissue everywhere and no gradient the excess falls as exp(-w t / c)."""
    mesh, even = grid(1.0), Tissue(3e6, 0.3)
    start = np.full(len(mesh.centres), 40.0)
    far = int(
        np.searchsorted(mesh.centres, 20.0)
    )  # beyond the reach of the core, where no blood flows, and of the edge
    perfusion = 2e4
    temperature = diffuse(mesh, start, even, even, 100.0, perfusion=perfusion)[1]
    assert temperature[-1, far] - 37 == pytest.approx(3 * math.exp(-perfusion / 3e6 * 100), rel=0.01)


# --- an independent solver


def method_of_lines(volume_ml, fraction, room, age, seconds):
    """Return radii (mm), times and temperatures by scipy's stiff solver on an even grid, the kinetics written anew."""
    radius = np.cbrt(3000 * volume_ml / fraction / 4 / np.pi) * 1e-3
    width = radius / 60
    cells = int((radius + 0.03) / width)
    edges = np.arange(cells + 1) * width
    middle = (edges[1:] + edges[:-1]) / 2
    cement = middle < radius
    capacity, conductivity = (
        np.where(cement, fraction * TABLE[name] + (1 - fraction) * TABLE[f"bone_{name}"], TABLE[f"bone_{name}"])
        for name in ("capacity", "conductivity")
    )
    between = 2 * conductivity[1:] * conductivity[:-1] / (conductivity[1:] + conductivity[:-1])
    volumes = np.diff(edges**3) / 3
    inner = int(cement.sum())

    def rate(cured, temperature):
        left = np.clip(1 - cured, 0, 1)
        speed = np.exp(TABLE["rate"] - TABLE["activation"] / 8.314462618 / (temperature + 273.15))
        return speed * np.clip(cured, 1e-12, 1) ** TABLE["order_m"] * left ** TABLE["order_n"]

    def slopes(_, state):
        temperature, cured = state[:cells], state[cells:]
        flux = np.zeros(cells + 1)
        flux[1:-1] = -between * edges[1:-1] ** 2 * np.diff(temperature) / width
        flux[-1] = -conductivity[-1] * edges[-1] ** 2 * (37 - temperature[-1]) / (width / 2)
        curing = rate(cured, temperature[:inner])
        gain = -np.diff(flux) / volumes
        gain[:inner] += fraction * TABLE["heat"] * curing
        return np.concatenate([gain / capacity, curing])

    aged = solve_ivp(lambda _, a: rate(a, room), (0, age), [TABLE["low_first_cured"]], rtol=1e-9, atol=1e-12).y[0, -1]
    cool = fraction * TABLE["capacity"] * room + (1 - fraction) * TABLE["bone_capacity"] * 37
    start = np.concatenate([np.where(cement, cool / capacity, 37.0), np.full(inner, aged)])
    band = diags_array([np.ones(cells - 1), np.ones(cells), np.ones(cells - 1)], offsets=[-1, 0, 1])
    link = diags_array([np.ones(inner)], offsets=[0], shape=(cells, inner))
    pattern = block_array([[band, link], [link.T, eye_array(inner)]])
    found = solve_ivp(
        slopes, (0, seconds), start, "BDF", np.arange(0, seconds + 1, 10), rtol=1e-6, atol=1e-6, jac_sparsity=pattern
    )
    return middle * 1e3, found.t, found.y[:cells].T


@validates(
    "cement.heat",
    "Temperatures in and around cement",
    against="the method of lines",
    kind="computation",
    tolerance="0.5 °C",
)
@pytest.mark.parametrize(("volume_ml", "fraction", "room", "age"), [(4, 0.88, 23, 300), (6, 1.0, 21, 400)])
def test_an_independent_solver_finds_the_same_temperatures(volume_ml, fraction, room, age):
    radii, times, expected = method_of_lines(volume_ml, fraction, room, age, 800)
    run = cure(float(volume_ml), fraction, room=float(room), injected_at=float(age))
    at = np.round(times).astype(int)
    for distance in (-run.radius, -run.radius / 2, -2, 2, 5, 10):
        other = np.array([np.interp(max(run.radius + distance, radii[0]), radii, row) for row in expected])
        assert np.abs(run.history(distance)[at] - other).max() < 0.5


# --- what the scenarios must show


@pytest.mark.parametrize(
    ("volume_ml", "fraction"), [(2, 0.88), (4, 0.88), (6, 0.88), (10, 0.88), (4, 1), (6, 1), (10, 1)]
)
def test_every_usual_procedure_lies_within_what_was_measured(volume_ml, fraction):
    run = cure(float(volume_ml), float(fraction))
    assert 49 < run.centre < 112 and run.centre < ROWS["ceiling"]()
    assert 44 < run.interface < 65
    assert run.peak(10) < 45
    falls = [run.peak(distance) for distance in (-run.radius, 0, 2, 5, 10, 20)]
    assert falls == sorted(falls, reverse=True)


@settings(max_examples=8)
@given(st.floats(1, 8), st.sampled_from(list(CEMENTS)), st.floats(18, 25), st.floats(0.55, 0.95))
def test_the_later_it_is_injected_the_cooler_the_surface_stays(volume_ml, name, room, share):
    window = CEMENTS[name].window(room)
    early, late = (
        cure(volume_ml, cement_name=name, room=room, injected_at=share * window.sets + more, step=2.0)
        for more in (0, 0.05 * window.sets)
    )
    assert late.interface < early.interface
    assert late.centre < early.centre


def test_cement_that_is_set_before_it_is_injected_gives_no_heat():
    assert cure(4.0, injected_at=3600.0).temperature.max() < 37.2


@pytest.mark.parametrize("step", [0.5, 1.0, 2.5])
def test_even_the_coldest_and_youngest_cement_is_computed(step):
    """Beyond what any cement does: monomer would boil. What lies around must be right all the same."""
    run, fine = (cure(10.0, 1.0, room=16.0, injected_at=60.0, step=each) for each in (step, 0.25))
    assert run.cured[-1, 0] > 0.99 and run.centre > 100
    assert run.interface == pytest.approx(fine.interface, abs=0.5)


def test_more_flow_of_blood_cools_the_neighbourhood_more():
    peaks = [cure(6.0, flow=flow).peak(5) for flow in (0.0, 5.0, 20.0, 50.0)]
    assert peaks == sorted(peaks, reverse=True) and peaks[-1] < peaks[0] - 1


def test_the_time_above_a_limit_is_measured_between_the_steps():
    run = cure(4.0)
    history = run.history(0)
    fine = np.interp(np.arange(0, 1200, 0.01), run.times, history)
    assert run.above(45) == pytest.approx((fine > 45).sum() * 0.01, abs=0.1)
    assert run.above(30, 20) == run.times[-1] and run.above(99, 5) == 0


def test_a_leak_is_hotter_the_more_of_it_there_is():
    peaks = [leak(volume).interface for volume in (0.05, 0.1, 0.2, 0.5, 1.0)]
    assert peaks == sorted(peaks) and 37 < peaks[0] < 42
    assert leak(0.5).interface < cure(4.0).interface


def test_a_thread_as_long_as_it_is_wanted_holds_its_volume():
    run = leak(0.5, length=20.0)
    assert math.pi * run.radius**2 * 20 == pytest.approx(500)
    assert 4 / 3 * math.pi * cure(4.0).radius ** 3 * 0.88 == pytest.approx(4000)


def test_cement_in_a_syringe_warms_itself_and_sets_sooner():
    for cement in CEMENTS.values():
        thin, thick = (in_syringe(cement.name, bore=bore).sets for bore in (3.0, 15.0))
        assert thick < thin < cement.window().sets


def test_the_grid_reaches_as_far_as_it_says():
    mesh = grid(8.0)
    assert mesh.edges[mesh.inner] == 8 and mesh.edges[-1] == pytest.approx(8 + REACH)
    assert mesh.volumes.sum() == pytest.approx(4 / 3 * math.pi * (0.068) ** 3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"volume_ml": 0.0}, "volume_ml is 0; the heat model takes 0.005 to 30"),
        ({"volume_ml": 4.0, "room": 60.0}, "room is 60"),
        ({"volume_ml": 4.0, "fraction": 2.0}, "fraction is 2"),
        ({"volume_ml": 4.0, "around": "air"}, "is 'air'; it is one of bone, water"),
        ({"volume_ml": 4.0, "cement_name": "glue"}, "is 'glue'; it is one of low viscosity, high viscosity"),
    ],
)
def test_what_lies_outside_the_model_is_refused_in_one_line(wrong, said):
    with pytest.raises(ValueError, match=said) as refused:
        cure(**wrong)
    assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match="distance is 200 mm; the model reaches"):
        cure(4.0).peak(200)
