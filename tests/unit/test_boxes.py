"""Areas and overlaps of boxes, one pair and many at once."""

import numpy as np
import pytest

from femr.faces.boxes import areas, iou, shared_areas


def test_no_boxes():
    none = np.empty((0, 4))
    assert areas(none).shape == shared_areas(none, none).shape == iou(none, none).shape == (0,)


def test_boxes_that_touch_or_have_no_area_share_nothing():
    assert shared_areas((0, 0, 10, 10), (10, 0, 20, 10)) == iou((0, 0, 10, 10), (10, 0, 20, 10)) == 0
    assert iou((5, 5, 5, 5), (5, 5, 5, 5)) == 0
    assert shared_areas((0, 0, 10, 10), (20, 20, 30, 30)) == 0  # apart in both directions


def test_every_box_against_every_other():
    boxes = np.array([(0, 0, 10, 10), (0, 0, 20, 10)], np.float32)
    assert areas(boxes).tolist() == [100, 200]
    assert shared_areas(boxes[:, np.newaxis], boxes).tolist() == [[100, 100], [100, 200]]
    assert iou(boxes[:, np.newaxis], boxes) == pytest.approx(np.array([[1, 0.5], [0.5, 1]]))
