import itertools

import numpy as np
import pytest

from femr.faces.mtcnn_networks import load
from femr.faces.mtcnn_views import MARGIN, WINDOW, pyramid, sheets, strips


def noise(height, width):
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "scale"), [(480, 640, 0.43), (1080, 1920, 0.3), (12, 12, 1.0), (97, 31, 0.6)]
)
def test_levels_shrink_to_the_window(height, width, scale):
    shapes = [level.shape[:2] for level in pyramid(noise(height, width), scale)]
    assert shapes[0] == (round(height * scale), round(width * scale))
    assert all(min(shape) >= WINDOW for shape in shapes)
    assert min(shapes[-1]) * 0.709 < WINDOW + 1
    for (tall, wide), (lower, narrower) in itertools.pairwise(shapes):
        assert lower / tall == pytest.approx(0.709, abs=0.05)
        assert narrower / wide == pytest.approx(0.709, abs=0.05)


@pytest.mark.parametrize(("height", "width"), [(1, 5000), (11, 400), (3, 3)])
def test_where_no_window_fits_there_is_no_level(height, width):
    assert list(pyramid(noise(height, width), 0.1)) == []
    assert list(sheets([])) == []


def test_a_level_is_the_mean_of_what_it_covers():
    checks = np.indices((400, 400)).sum(axis=0) % 2 * 255
    picture = np.repeat(checks[:, :, np.newaxis], 3, axis=2).astype(np.uint8)
    for level in pyramid(picture, 0.25):
        assert np.abs(level.astype(int) - 128).max() <= 2


@pytest.mark.parametrize(
    ("sizes", "scale"),
    [
        ([(480, 640)], 0.43),
        ([(640, 480)], 0.43),
        ([(1080, 1920)], 1.0),
        ([(40, 900)], 0.6),
        ([(240, 320)] * 9, 0.43),
        ([(300, 200), (200, 300), (480, 640)], 0.43),
    ],
)
def test_each_level_has_a_place_of_its_own(sizes, scale):
    levels = [level for size in sizes for level in pyramid(noise(*size), scale)]
    found = list(sheets(levels))
    assert [number for sheet in found for number, _, _ in sheet.places] == list(range(len(levels)))
    for sheet in found:
        taken = np.zeros(sheet.image.shape[:2], int)
        for number, y, x in sheet.places:
            assert y % 2 == x % 2 == 0
            place = np.s_[y : y + levels[number].shape[0], x : x + levels[number].shape[1]]
            assert np.array_equal(sheet.image[place], levels[number])
            taken[place] += 1
        assert taken.max() == 1
        assert taken.mean() > 0.5
        for number, y, x in sheet.places:  # black around it, as far as its windows reach
            height, width = levels[number].shape[:2]
            assert min(y, x) >= MARGIN
            around = sheet.image[y - MARGIN : y + height + MARGIN, x - MARGIN : x + width + MARGIN]
            assert around.shape[:2] == (height + 2 * MARGIN, width + 2 * MARGIN)
            assert around.any(axis=2).sum() <= levels[number].any(axis=2).sum()


def test_small_pictures_share_a_sheet():
    assert len(list(sheets([level for _ in range(4) for level in pyramid(noise(240, 320), 0.43)]))) == 1


def test_sheets_stay_small():
    levels = list(pyramid(noise(1080, 1920), 1.0))
    areas = [sheet.image.shape[0] * sheet.image.shape[1] for sheet in sheets(levels)]
    assert areas[0] == (levels[0].shape[0] + 2 * MARGIN) * (levels[0].shape[1] + 2 * MARGIN)
    assert sum(areas) < 1.3 * sum(level.shape[0] * level.shape[1] for level in levels)


def test_the_network_sees_each_level_as_if_alone():
    pnet = load().pnet
    levels = [level for size in ((200, 260), (90, 70)) for level in pyramid(noise(*size), 0.5)]
    (sheet,) = sheets(levels)
    (whole,) = pnet([sheet.image[np.newaxis]])
    for number, y, x in sheet.places:
        rows, columns = ((length - WINDOW) // 2 + 1 for length in levels[number].shape[:2])
        (level,) = pnet([levels[number][np.newaxis]])
        for together, alone in zip(whole, level, strict=True):
            part = together[0, y // 2 : y // 2 + rows, x // 2 : x // 2 + columns]
            assert np.allclose(part, alone[0, :rows, :columns], atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(700, 300), (701, 299), (2_001, 40), (12, 9_000), (13, 30_000)])
def test_in_strips_it_sees_what_it_sees_in_the_whole(height, width):
    pnet, sheet = load().pnet, noise(height, width)
    (whole,) = pnet([sheet[np.newaxis]])
    parts = pnet(strip[np.newaxis] for strip in strips(sheet))
    rows = (height - WINDOW) // 2 + 1
    for together, *some in zip(whole, *parts, strict=True):
        assert np.array_equal(np.concatenate(some, axis=1)[:, :rows], together[:, :rows])


def test_strips_stay_small():
    assert [strip.shape[0] for strip in strips(noise(610, 400))] == [110] * 6
    assert sum(1 for _ in strips(noise(60, 400))) == 1
