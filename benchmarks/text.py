"""The benchmark's document as tables for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from femr.benchmark.growth import CALLS

_LABELS = {"femr_detect": "femr, faces", "femr_analysis": "femr, all", "package_detect": "package, faces"}


def to_text(document: Mapping[str, Any]) -> str:
    """All sections that the document has, a blank line between them."""
    sections = [_machine(document["machine"])]
    if "detection" in document:
        sections += _speed(document)
    if "recall" in document:
        sections.append(_recall(document["recall"]))
    return "\n\n".join("\n".join(lines) for lines in sections)


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A title and columns, the first left-aligned and the others right."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        title,
        *(
            "  " + "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
            for row in cells
        ),
    ]


def _speed(document: Mapping[str, Any]) -> Iterator[list[str]]:
    yield _startup(document)
    yield _detection(document)
    yield _analysis(document["analysis"])
    rows = (
        [row["model"], str(row["batch"]), str(row["views"]), _ms(row["ms_per_face"]), _ms(row["ms_per_view"])]
        for row in document["classifier"]
    )
    yield table("Networks, milliseconds", ["model", "faces at once", "views", "a face", "a view"], rows)
    rows = ([str(row["threads"]), f"{row['images_a_second']:.1f}"] for row in document["threads"])
    yield table("Several visitors at once", ["threads", "pictures a second"], rows)
    sizes = document["new_size"]
    rows = (
        [_LABELS[n], _ms(sizes[n]["first_ms"]), _ms(sizes[n]["second_ms"]), _times(sizes[n]["ratio"])] for n in CALLS
    )
    yield table("A picture size never seen before, ms", ["", "first call", "second", "ratio"], rows)
    for size in ("megapixels", "faces"):
        yield _growth(document["growth"][size], size)
    if document["peers"]:
        yield _peers(document["peers"])


def _machine(machine: Mapping[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    memory = f"{machine['memory_gb']:.0f} GB" if machine["memory_gb"] else "memory unknown"
    load = "" if machine["load"] is None else f", load {machine['load']:.1f} at the start"
    return [f"{machine['processor'] or 'processor unknown'}, {machine['cores']} cores, {memory}{load}", versions]


def _startup(document: Mapping[str, Any]) -> list[str]:
    parts, peak = document["startup"], document["peak_rss_mb"]
    memory = "peak memory is not told on this system" if peak is None else f"peak memory {peak:.0f} MB"
    return [
        f"From start to first answer {document['startup_s']:.1f} s (page's modules {parts['page_import_s']:.1f}, "
        f"loading {parts['load_s']:.1f}, first answer {parts['first_answer_s']:.1f}); {memory}"
    ]


def _detection(document: Mapping[str, Any]) -> list[str]:
    rows = (
        [
            f"{row['megapixels']:g}",
            str(row["faces"]),
            *(_ms(row[f"{name}_ms"]) for name in ("femr", "package")),
            _times(row["ratio"]),
            _ms(row["femr_20_ms"]),
            _times(row["ratio_20"]),
            " / ".join(str(row["found"][name]) for name in ("femr", "femr_20", "package")),
        ]
        for row in document["detection"]
    )
    head = ["megapixels", "faces", "femr", "package", "ratio", "femr at 20 px", "ratio", "found"]
    smallest = f"{document['smallest_face']} px or 1/{1 / document['smallest_share']:.0f} of the long side"
    return table(f"Detection alone, ms (femr from {smallest}, package from 20 px)", head, rows)


def _analysis(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = ("femr_ms", "reference_ms", "reference_loaded_ms")
    cells = (
        [
            f"{row['megapixels']:g}",
            str(row["faces"]),
            *(_ms(row[name]) for name in names),
            _times(row["ratio"]),
            _times(row["ratio_loaded"]),
            f"{row['found']['femr']} / {row['found']['reference']}",
        ]
        for row in rows
    )
    head = ["megapixels", "faces", "femr", "reference", "loaded once", "ratio", "ratio to loaded", "found"]
    return table("Whole analysis, ms", head, cells)


def _growth(part: Mapping[str, Any], size: str) -> list[str]:
    rows = [[f"{row[size]:g}", *(_ms(row.get(f"{name}_ms")) for name in CALLS)] for row in part["rows"]]
    rows.append(["power", *(_number(part["exponents"][name]) for name in CALLS)])
    if "ms_per_face" in part:
        rows.append(["ms a face", *(_number(part["ms_per_face"][name]) for name in CALLS)])
    return table(f"Cost against {size}, ms", [size, *(_LABELS[name] for name in CALLS)], rows)


def _peers(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = (
        [
            *(entry["name"], entry["against"], f"{row['megapixels']:g}", str(row["faces"]), str(row["found"])),
            *(_ms(row["ms"]), _ms(row["femr_ms"]), _times(row["ratio"])),
        ]
        for entry in entries
        for row in entry["pictures"]
    )
    head = ["peer", "against femr's", "megapixels", "faces", "found", "peer", "femr", "ratio"]
    absent = [f"  {e['name']} is {e['status']}: {e['reason']}" for e in entries if e["status"] != "measured"]
    return [*table("Peers, ms", head, rows), *absent]


def _recall(recall: Mapping[str, Any]) -> list[str]:
    names = list(recall["sources"])
    measures = {"recall": "recall", "sure_recall": "sure", "false_positives": "false"}
    measures |= {"sure_false_positives": "sure false", "iou": "IoU", "landmark_error": "landmarks"}
    columns = [*(f"{name} {word}" for word in measures.values() for name in names), *(f"only {n}" for n in names)]
    rows = (
        [
            *(row["name"], str(row["faces"]), str(row["pictures"])),
            *(_share(row[name][key], key) for key in measures for name in names),
            *(str(row["only"][name]) for name in names),
        ]
        for row in recall["rows"]
    )
    title = (
        f"Recall at IoU {recall['found_at_iou']}, also of boxes of confidence {recall['sure_at']} (sure), "
        "false positives a picture, IoU, landmark error in eye distances, "
        f"faces found by one alone (faces: {recall['faces_from']})"
    )
    return table(title, ["", "faces", "pictures", *columns], rows)


def _ms(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.2f}" if milliseconds < 10 else f"{milliseconds:.0f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _times(ratio: float) -> str:
    return f"{ratio:.1f}×"


def _share(value: float | None, key: str) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.1f} %" if key in ("recall", "sure_recall", "landmark_error") else f"{value:.2f}"
