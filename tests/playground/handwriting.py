"""Twenty digits as strokes: two of each, written by two imagined people.

A stroke is a list of points, (right, down) in hundredths of the pad's side. The pen goes through
them on a smooth curve, or straight from point to point where the stroke is marked as straight. The
first hand is large and upright, the second smaller, slanted, and not in the middle.
"""

from typing import NamedTuple

Point = tuple[float, float]


class Stroke(NamedTuple):
    points: list[Point]
    straight: bool = False


def curve(*points: Point) -> Stroke:
    return Stroke(list(points))


def lines(*points: Point) -> Stroke:
    return Stroke(list(points), straight=True)


FIRST = {
    0: [curve((50, 15), (32, 25), (27, 50), (33, 75), (50, 85), (67, 75), (73, 50), (67, 25),
              (50, 15))],
    1: [lines((50, 14), (50, 86))],
    2: [curve((29, 32), (36, 18), (52, 14), (67, 24), (66, 40), (50, 60), (28, 83)),
        lines((28, 83), (74, 83))],
    3: [curve((30, 22), (46, 14), (64, 20), (65, 36), (48, 46)),
        curve((48, 46), (68, 54), (70, 72), (52, 86), (28, 78))],
    4: [lines((36, 15), (28, 54), (74, 54)), lines((62, 24), (62, 88))],
    5: [lines((68, 16), (35, 16), (32, 46)),
        curve((32, 46), (50, 40), (67, 50), (69, 70), (52, 85), (29, 79))],
    6: [curve((62, 13), (44, 28), (32, 52), (33, 74), (50, 86), (67, 76), (64, 56), (48, 51),
              (34, 62))],
    7: [lines((27, 18), (73, 18), (45, 87))],
    8: [curve((64, 26), (50, 14), (35, 24), (42, 42), (60, 56), (68, 72), (52, 87), (33, 76),
              (39, 57), (58, 42), (64, 26))],
    9: [curve((66, 34), (52, 17), (35, 26), (35, 44), (52, 51), (66, 36)),
        curve((66, 34), (65, 60), (58, 87))],
}  # fmt: skip

SECOND = {
    0: [curve((64, 22), (50, 27), (42, 42), (42, 56), (51, 62), (64, 55), (71, 40), (70, 26),
              (62, 22))],
    1: [lines((22, 42), (36, 26), (30, 74))],
    2: [curve((40, 38), (46, 26), (58, 24), (65, 33), (58, 48), (38, 68), (36, 73), (45, 70),
              (58, 75), (66, 70))],
    3: [lines((38, 30), (62, 28), (48, 46)),
        curve((48, 46), (60, 50), (61, 64), (48, 75), (33, 70))],
    4: [lines((58, 20), (34, 58), (66, 56)), lines((58, 42), (52, 78))],
    5: [curve((38, 34), (35, 48), (48, 47), (57, 56), (52, 70), (36, 74), (28, 68)),
        lines((38, 34), (62, 30))],
    6: [curve((60, 26), (48, 36), (40, 54), (43, 68), (53, 70), (59, 60), (52, 53), (42, 60))],
    7: [lines((38, 30), (64, 28), (46, 74)), lines((44, 52), (62, 50))],
    8: [curve((58, 44), (48, 36), (52, 26), (63, 24), (68, 32), (60, 43), (49, 52), (43, 64),
              (50, 73), (60, 67), (61, 54), (57, 44), (50, 38))],
    9: [curve((64, 30), (54, 25), (44, 33), (44, 43), (54, 44), (64, 31), (60, 52), (50, 70),
              (40, 74))],
}  # fmt: skip

HANDS = {"first": FIRST, "second": SECOND}


def path(stroke: Stroke, steps: int = 7) -> list[Point]:
    """Return the points that the pen goes through, those between included.

    Curves are Catmull–Rom splines: they pass through all their points.
    """
    points = stroke.points
    found = [points[0]]
    for each in range(len(points) - 1):
        start, end = points[each], points[each + 1]
        before = points[each - 1] if each else start
        after = points[each + 2] if each + 2 < len(points) else end
        for step in range(1, steps + 1):
            t = step / steps
            if stroke.straight:
                found.append(tuple(a + t * (b - a) for a, b in zip(start, end, strict=True)))
            else:
                found.append(
                    tuple(
                        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
                               + (3 * b - a - 3 * c + d) * t**3)
                        for a, b, c, d in zip(before, start, end, after, strict=True)
                    )
                )  # fmt: skip
    return found


def draw(page, canvas, strokes: list[Stroke]) -> None:
    """Draw strokes on a pad with the mouse."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for stroke in strokes:
        (first, *rest) = [
            (box["x"] + box["width"] * x / 100, box["y"] + box["height"] * y / 100)
            for x, y in path(stroke)
        ]
        page.mouse.move(*first)
        page.mouse.down()
        for place in rest:
            page.mouse.move(*place)
        page.mouse.up()
