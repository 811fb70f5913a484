"""What a container leaves of a machine."""

from pathlib import Path

import pytest

from stabbench._system import machine


def group(folder: Path, limit: str, used: int, caches: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {caches}\nactive_file 7\n")


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of control groups, in whose group /job/task this process is."""
    monkeypatch.setattr(machine, "CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "OWN_CGROUP", tmp_path / "own")
    (tmp_path / "own").write_text("0::/job/task\n")
    return tmp_path / "cgroup"


def test_the_tightest_of_all_groups_counts_and_caches_can_be_dropped(cgroup: Path) -> None:
    group(cgroup / "job" / "task", "max", 10, 0)
    group(cgroup / "job", "1000", 900, 300)
    assert machine.available_memory() == 400
    group(cgroup, "500", 300, 0)
    assert machine.available_memory() == 200


def test_without_a_limit_it_is_the_machines(cgroup: Path) -> None:
    group(cgroup / "job" / "task", "max", 10, 0)
    free = machine.available_memory()
    assert free is not None
    assert free > 2**20


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("max 100000", "max 100000", 8),
        ("200000 100000", "max 100000", 2),
        ("max 100000", "350000 100000", 3),
        ("50000 100000", "400000 100000", 1),
        ("nonsense", "1600000 100000", 8),
    ],
)
def test_a_share_of_the_processors_time_counts_in_whole_cores(
    cgroup: Path, monkeypatch: pytest.MonkeyPatch, inner: str, outer: str, expected: int
) -> None:
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (cgroup / "job" / "task").mkdir(parents=True)
    (cgroup / "job" / "task" / "cpu.max").write_text(f"{inner}\n")
    (cgroup / "job" / "cpu.max").write_text(f"{outer}\n")
    assert machine.cores() == expected


def test_without_control_groups_all_cores_count(cgroup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    machine.OWN_CGROUP.unlink()
    assert machine.cores() == 8
    assert not cgroup.exists()


@pytest.mark.parametrize(("seen", "number", "now"), [(None, 1, "1"), ("4,6", 1, "6"), ("GPU-a,GPU-b", 0, "GPU-a")])
def test_a_process_sees_one_of_the_gpus_that_it_could_see(
    monkeypatch: pytest.MonkeyPatch, seen: str | None, number: int, now: str
) -> None:
    if seen is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    assert machine.seeing_gpu(number) == {"CUDA_VISIBLE_DEVICES": now}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (
            "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n"
            "flags\t\t: fpu avx avx2\n\nprocessor\t: 1\nvendor_id\t: other\n",
            "AuthenticAMD 25 1, avx2",
        ),
        (
            "vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t: 2\nmodel name\t: AMD EPYC\nflags\t: avx2 avx512f\n",
            "AuthenticAMD 26 2, avx512",
        ),
        ("processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\n", "0x41 0xd0c, neon"),
    ],
)
def test_generations_of_one_name_are_told_apart(
    content: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(content)
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    assert machine.cpu_kind() == kind
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    assert machine.cpu_kind() == f"{kind.rpartition(', ')[0]}, default"


def test_a_system_without_that_file_has_a_kind_of_processor_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "none")
    assert machine.cpu_kind()
    assert machine.cpu_name()
