"""Frames from folders of images, videos and archives, whatever lies on the disk."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from mer_lib.datasets.faults import EFFECTS, KINDS
from mer_lib.datasets.frames import containers, video
from mer_lib.datasets.frames.archive import FrameArchive
from mer_lib.datasets.frames.images import ImageFolder
from mer_lib.datasets.frames.picture import read_image
from mer_lib.datasets.frames.video import VideoFile
from mer_lib.datasets.synthetic.storage import pack_frames
from mer_lib.errors import DataError, ParameterError
from tests import recordings
from tests.recordings import hole, index_in, numbered, write_images, write_sound, write_video

COUNT = 40


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    """One video of each kind."""
    root = tmp_path_factory.mktemp("videos")
    for name, settings in recordings.KINDS.items():
        write_video(root / name, COUNT, **settings)
    return root


def encoded(image: np.ndarray, ending: str = ".png") -> bytes:
    return cv2.imencode(ending, image if image.ndim == 2 else image[..., ::-1])[1].tobytes()


def photo(size: int = 200) -> Image.Image:
    """A picture that packs to some kilobytes, so that it can be cut in the middle."""
    image = Image.new("RGB", (size, size))
    draw = ImageDraw.Draw(image)
    for at in range(0, size, 3):
        draw.line([(at, 0), (size - at, size)], fill=(at % 256, 7 * at % 256, 13 * at % 256))
    return image


def said(faults) -> list[tuple[str, str]]:
    """Effect and kind of faults, all of which must be well formed."""
    assert all(fault.effect in EFFECTS and fault.kind in KINDS and fault.sample_id == "own/a/b" for fault in faults)
    assert all("\n" not in fault.message for fault in faults)
    return [(fault.effect, fault.kind) for fault in faults]


# -- every source -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["images", "video", "archive"])
def source(request, tmp_path):
    """Twenty numbered frames in each of the three forms."""
    frames = [numbered(index) for index in range(20)]
    if request.param == "video":
        return VideoFile(write_video(tmp_path / "clip.mkv", 20, codec="ffv1", pixels="bgr0"))
    if request.param == "archive":
        path = tmp_path / "clip.zip"
        path.write_bytes(pack_frames(encoded(frame) for frame in frames))
        return FrameArchive(path, "0" * 64)
    for index, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(tmp_path / f"img{index}.png")
    return ImageFolder(tmp_path)


def test_every_source_reads_all_frames_some_and_streams_them(source) -> None:
    every = source.read()
    assert every.dtype == np.uint8
    assert every.shape == (20, 48, 64, 3)
    np.testing.assert_array_equal(every, [numbered(index) for index in range(20)])
    np.testing.assert_array_equal(source.numbers(), np.arange(1, 21))
    assert source.numbers().dtype == np.int64
    for some in ([7], [3, 19, 0], [5, 5, 2], np.array([1, 2]), []):
        np.testing.assert_array_equal(source.read(some), every[np.asarray(some, int)])
    np.testing.assert_array_equal(list(source.stream()), every)
    np.testing.assert_array_equal(list(source.stream(3, 18, 4)), every[3:18:4])
    assert list(source.stream(4, 4)) == []
    assert source.check("own/a/b") == source.check("own/a/b", [1, 20, 99]) == []
    assert len(source.stamp()) == 64
    assert source.place in repr(source)


@pytest.mark.parametrize("indices", [[20], [-1], [0, 1.0], [True], ["1"]])
def test_indices_outside_are_refused(source, indices) -> None:
    with pytest.raises(DataError, match="from 0 to 19, whole numbers, got"):
        source.read(indices)


def test_ranges_outside_are_refused_before_the_first_frame(source) -> None:
    with pytest.raises(DataError, match="start and stop from 0 to 20, got 0 and 21"):
        source.stream(0, 21)
    with pytest.raises(DataError, match="got -1 and 20"):
        source.stream(-1)
    with pytest.raises(ParameterError, match="at least 1 frame, got 0"):
        source.stream(0, 5, 0)


@pytest.mark.parametrize("make", [ImageFolder, VideoFile, lambda path: FrameArchive(path, "0" * 64)])
def test_opening_a_source_reads_nothing_and_its_absence_is_told(make, tmp_path) -> None:
    absent = make(tmp_path / "absent")
    with pytest.raises(DataError, match="absent"):
        absent.numbers()
    assert absent.fps is None
    assert [effect for effect, _ in said(absent.check("own/a/b"))] == ["excludes"]


# -- folders of images ------------------------------------------------------------------------------------------------


def test_images_are_numbered_by_their_last_digits_whatever_the_padding(tmp_path) -> None:
    folder = write_images(tmp_path, ["006_5562.jpg", "006_05561.jpg", "reg_image0001234.bmp", "7.PNG", "x10.tif"])
    clip = ImageFolder(folder)
    assert clip.numbers().tolist() == [7, 10, 1234, 5561, 5562]
    assert clip.read([0])[0, 0, 0].tolist() == [30, 0, 0]
    assert ImageFolder(folder, 10, 1234).numbers().tolist() == [10, 1234]
    assert ImageFolder(folder, first=5562).numbers().tolist() == [5562]
    with pytest.raises(DataError, match="from number 20 to number 30, got none"):
        ImageFolder(folder, 20, 30).numbers()


def test_what_is_no_frame_is_left_out_and_told(tmp_path) -> None:
    write_images(tmp_path, ["img1.jpg", "img2.jpg", "img01.png", "cover.jpg", ".img3.jpg", "img4 (1).jpg"])
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("8")
    (tmp_path / "img5.jpg").mkdir()
    (tmp_path / "img6.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "img7.jpg").symlink_to(tmp_path / "img7.jpg")
    os.mkfifo(tmp_path / "img8.jpg")
    clip = ImageFolder(tmp_path)
    assert clip.numbers().tolist() == [1, 2]
    assert len(clip.read()) == 2
    (fault,) = clip.check("own/a/b")
    assert said([fault]) == [("noted", "file")]
    assert "img1.jpg (has the same number as img01.png)" in fault.message
    for name in ("cover.jpg (its name ends", "img4 (1).jpg", "img5.jpg", "img6.jpg", "img7.jpg", "img8.jpg (no file"):
        assert name in fault.message
    assert not any(name in fault.message for name in (".img3", "Thumbs", "notes"))


def test_colours_greys_palettes_and_transparency_become_rgb(tmp_path) -> None:
    red = Image.new("RGB", (8, 6), (200, 30, 10))
    red.save(tmp_path / "1.png")
    red.convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "2.png")
    red.convert("RGBA").save(tmp_path / "3.png")
    red.save(tmp_path / "4.bmp")
    red.save(tmp_path / "5.tif", compression="tiff_lzw")
    frames = ImageFolder(tmp_path).read()
    assert frames.shape == (5, 6, 8, 3)
    assert (frames == [200, 30, 10]).all()
    Image.new("L", (8, 6), 77).save(tmp_path / "6.jpg")
    assert (read_image(tmp_path / "6.jpg") == 77).all()


def test_an_image_is_turned_as_its_camera_was_held(tmp_path) -> None:
    image = Image.new("RGB", (8, 6))
    image.paste((255, 255, 255), (0, 0, 2, 2))  # at the top left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter with the clock
    image.save(tmp_path / "1.png", exif=exif)
    frame = read_image(tmp_path / "1.png")
    assert frame.shape == (8, 6, 3)
    assert frame[0, -1].tolist() == [255, 255, 255]
    assert ImageFolder(tmp_path).check("own/a/b") == []
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "2.png")
    assert ImageFolder(tmp_path).check("own/a/b") == []


def cut_in_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def zeros_in_half(content: bytes) -> bytes:
    return cut_in_half(content) + bytes(len(content) - len(content) // 2)


DAMAGED = {
    "empty.jpg": lambda _: b"",
    "text.png": lambda _: b"This is no image.\n" * 10,
    "zeros.bmp": lambda _: bytes(1000),
    "cut.jpg": cut_in_half,
    "cut.png": cut_in_half,
    "cut.bmp": cut_in_half,
    "cut.tif": cut_in_half,
    "end.jpg": lambda content: content[:-2],
    "zeroed.jpg": zeros_in_half,
    "zeroed.png": zeros_in_half,
    "checksum.png": lambda content: content[:-14] + bytes([content[-14] ^ 255]) + content[-13:],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_image_is_found_by_reading_and_by_checking(name, tmp_path) -> None:
    photo().save(tmp_path / "1.png")
    good = tmp_path / ("x" + Path(name).suffix)
    photo().save(good)
    (tmp_path / f"2{good.suffix}").write_bytes(DAMAGED[name](good.read_bytes()))
    good.unlink()
    clip = ImageFolder(tmp_path)
    assert len(clip.read([0])) == len(list(clip.stream(0, 1))) == 1
    with pytest.raises(DataError, match=f"2{good.suffix}: "):
        clip.read()
    stream = clip.stream()
    next(stream)  # each is decoded when its turn comes
    with pytest.raises(DataError):
        next(stream)
    (fault,) = clip.check("own/a/b")
    assert said([fault]) == [("excludes", "unreadable image")]
    assert f"1 of 2 images cannot be read: 2{good.suffix}: " in fault.message
    assert clip.check("own/a/b", [1, 77]) == []


def test_more_than_eight_bits_are_refused_rather_than_cut(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.full((6, 8), 4000, np.uint16))
    cv2.imwrite(str(tmp_path / "2.png"), np.full((6, 8, 3), 4000, np.uint16))
    cv2.imwrite(str(tmp_path / "3.tif"), np.full((6, 8), 4000, np.uint16))
    cv2.imwrite(str(tmp_path / "4.tif"), np.full((6, 8), 0.5, np.float32))
    for path in tmp_path.iterdir():
        with pytest.raises(DataError, match="8 bits a channel"):
            read_image(path)
    assert "4 of 4 images" in ImageFolder(tmp_path).check("own/a/b")[0].message


def test_other_formats_are_never_tried_whatever_the_ending(tmp_path) -> None:
    photo().save(tmp_path / "1.jpg", format="GIF")
    photo().save(tmp_path / "2.jpg", format="EPS")
    for path in tmp_path.iterdir():
        with pytest.raises(DataError, match="no JPEG, PNG, BMP or TIFF image"):
            read_image(path)


def test_a_huge_file_and_a_huge_picture_are_refused_unread(tmp_path) -> None:
    hole(tmp_path / "1.png")
    Image.new("1", (9000, 9000)).save(tmp_path / "2.png")
    clip, started = ImageFolder(tmp_path), time.monotonic()
    with pytest.raises(DataError, match="at most 100 MB, got 10737 MB"):
        clip.read([0])
    with pytest.raises(DataError, match="at most 50 million pixels, got 9000x9000"):
        clip.read([1])
    assert said(clip.check("own/a/b")) == [("excludes", "unreadable image")]
    assert time.monotonic() - started < 2


def test_odd_sizes_are_found_and_most_images_are_right(tmp_path) -> None:
    write_images(tmp_path, [f"{number}.png" for number in range(1, 5)])
    Image.new("RGB", (4, 4)).save(tmp_path / "0.png")
    clip = ImageFolder(tmp_path)
    (fault,) = clip.check("own/a/b")
    assert said([fault]) == [("excludes", "odd size")]
    assert "images are 8x6, but 0.png is 4x4" in fault.message
    assert len(clip.read([1, 2])) == 2
    with pytest.raises(DataError, match=r"1\.png: expected 4x4 pixels as in the frame read first, got 8x6"):
        clip.read()


def test_a_folder_of_empty_files_is_one_fault_that_stays_short(tmp_path) -> None:
    for number in range(500):
        (tmp_path / f"img{number}.jpg").touch()
    (fault,) = ImageFolder(tmp_path).check("own/a/b")
    assert "500 of 500 images cannot be read" in fault.message
    assert fault.message.endswith("and 490 more")
    assert len(fault.message) < 1000


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to(path)])
def test_what_is_no_folder_of_images_is_told(make, tmp_path) -> None:
    make(tmp_path / "clip")
    with pytest.raises(DataError, match="clip: expected"):
        ImageFolder(tmp_path / "clip").numbers()
    assert said(ImageFolder(tmp_path / "clip").check("own/a/b")) == [("excludes", "missing frames")]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission_are_told(tmp_path) -> None:
    write_images(tmp_path / "clip", ["1.png"])
    write_video(tmp_path / "clip.mp4", 3)
    for path in (tmp_path / "clip/1.png", tmp_path / "clip.mp4"):
        path.chmod(0)
    with pytest.raises(DataError, match=r"1\.png: cannot be read \(Permission denied\)"):
        ImageFolder(tmp_path / "clip").read()
    with pytest.raises(DataError, match="Permission denied"):
        VideoFile(tmp_path / "clip.mp4").numbers()
    (tmp_path / "clip").chmod(0)
    try:
        assert "Permission denied" in ImageFolder(tmp_path / "clip").check("own/a/b")[0].message
    finally:
        (tmp_path / "clip").chmod(0o700)


def test_names_that_are_no_utf8_can_be_read_and_printed(tmp_path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff\xfe clip")
    write_images(folder, ["1.png"])
    clip = ImageFolder(folder)
    assert len(clip.read()) == 1
    assert clip.place.encode("utf-8").endswith(b" clip")
    (folder / os.fsdecode(b"\xff2.png")).touch()
    assert "2.png: is an empty file" in ImageFolder(folder).check("own/a/b")[0].message.encode("utf-8").decode()
    movie = write_video(tmp_path / os.fsdecode(b"%d #?\xff.mp4"), 3)
    assert [index_in(frame) for frame in VideoFile(movie).read()] == [0, 1, 2]
    assert VideoFile(movie).place.encode("utf-8")


def test_a_stamp_tells_names_and_sizes_apart(tmp_path) -> None:
    folder = write_images(tmp_path / "a", ["1.png", "2.png"])
    stamp = ImageFolder(folder).stamp()
    assert ImageFolder(write_images(tmp_path / "b", ["1.png", "2.png"])).stamp() == stamp
    assert ImageFolder(folder, last=1).stamp() != stamp
    (folder / "2.png").write_bytes(b"longer than before" * 100)
    assert ImageFolder(folder).stamp() != stamp
    movie = write_video(tmp_path / "clip.mp4", 3)
    before = VideoFile(movie).stamp()
    movie.write_bytes(movie.read_bytes() + b"0")
    assert VideoFile(movie).stamp() != before
    with pytest.raises(DataError, match="gone.mp4"):
        VideoFile(tmp_path / "gone.mp4").stamp()


# -- videos -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", recordings.KINDS)
def test_any_frame_of_any_kind_of_video_is_the_right_one(kind, videos) -> None:
    clip = VideoFile(videos / kind)
    every = clip.read()
    assert every.shape == (COUNT, 48, 64, 3)
    assert [index_in(frame) for frame in every] == list(range(COUNT))
    chance = np.random.default_rng(0)
    for _ in range(12):
        some = chance.integers(0, COUNT, chance.integers(1, 5))
        np.testing.assert_array_equal(clip.read(some), every[some])
    np.testing.assert_array_equal(list(clip.stream(13, 38, 6)), every[13:38:6])
    assert clip.fps == 30
    assert clip.check("own/a/b") == clip.check("own/a/b", [1, 17, 40]) == []


def test_colours_of_a_video_stay_in_their_order_and_grey_has_equal_channels(tmp_path, videos) -> None:
    grey = VideoFile(videos / "grey.mkv").read([5])
    assert grey.shape == (1, 48, 64, 3)
    assert (grey[..., 0] == grey[..., 2]).all()
    path = tmp_path / "red.mkv"
    with containers.av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        red = np.full((16, 16, 3), (255, 0, 0), np.uint8)
        container.mux(stream.encode(containers.av.VideoFrame.from_ndarray(red, format="rgb24")))
        container.mux(stream.encode())
    assert (VideoFile(path).read() == red).all()


def test_reading_far_into_a_video_decodes_from_the_last_key_frame(videos, monkeypatch) -> None:
    decoded = []
    original = video.decoded

    def counting(*arguments, **settings):
        for frame in original(*arguments, **settings):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(video, "decoded", counting)
    VideoFile(videos / "h264.mp4").read([39])
    assert len(decoded) <= 6  # the last key frame is the 37th
    decoded.clear()
    VideoFile(videos / "h264.mp4").read([1, 38])
    assert len(decoded) <= 8
    decoded.clear()
    VideoFile(videos / "h264.mp4").read()
    assert len(decoded) == COUNT


def test_frames_of_a_varying_rate_are_counted_and_the_variation_is_told(tmp_path) -> None:
    stamps = [33 * index + (100 if index > 20 else 0) for index in range(COUNT)]
    clip = VideoFile(write_video(tmp_path / "clip.mp4", stamps=stamps))
    assert [index_in(frame) for frame in clip.read([20, 21, 39])] == [20, 21, 39]
    assert clip.fps == pytest.approx(39 / (39 * 0.033 + 0.1), rel=0.02)
    (fault,) = clip.check("own/a/b")
    assert said([fault]) == [("noted", "odd frame rate")]
    assert "1 of 39 intervals between frames are not 33.0 ms, the longest is 133.0 ms" in fault.message


@pytest.mark.parametrize("rate", [24, 60, 120, 200, 240])
def test_times_in_whole_milliseconds_are_no_varying_rate(rate, tmp_path) -> None:
    clip = VideoFile(write_video(tmp_path / "clip.mkv", 20, rate=rate))
    assert clip.fps == pytest.approx(rate, rel=0.02)
    assert clip.check("own/a/b") == []


@pytest.mark.parametrize(
    ("display", "shape", "corner"),
    [
        ((0,), (48, 64), (0, 0)),
        ((90,), (64, 48), (-1, 0)),
        ((180,), (48, 64), (-1, -1)),
        ((-90,), (64, 48), (0, -1)),
        ((0, True), (48, 64), (0, -1)),
        ((0, False, True), (48, 64), (-1, 0)),
        ((90, True), (64, 48), (-1, -1)),
    ],
)
def test_a_phone_held_on_its_side_gives_upright_frames(display, shape, corner, tmp_path) -> None:
    frame = VideoFile(write_video(tmp_path / "clip.mp4", 2, display=display)).read([1])[0]
    assert frame.shape == (*shape, 3)
    row, column = (slice(0, 12) if at == 0 else slice(-12, None) for at in corner)
    assert frame[row, column].mean() > 200  # the block of frame 1 is stored at the top left
    assert frame.mean() < 50


NO_VIDEOS = {
    "absent.mp4": lambda path: None,
    "empty.mp4": Path.touch,
    "text.mp4": lambda path: path.write_text("This is no video.\n" * 100),
    "zip.mov": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(500)),
    "zeros.mkv": lambda path: path.write_bytes(bytes(10_000)),
    "folder.avi": Path.mkdir,
    "pipe.mp4": os.mkfifo,
    "loop.mp4": lambda path: path.symlink_to(path),
    "sound.mp4": write_sound,
    "sound.mkv": write_sound,
    "hole.mp4": hole,
    "hole.avi": hole,
    "hole.mkv": hole,
    "list.mp4": lambda path: path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.mp4\n"),
    "list.mkv": lambda path: path.write_text("ffconcat version 1.0\nfile clip.mp4\n"),
    "nothing.mkv": lambda path: write_video(path, 0),
    "nothing.avi": lambda path: write_video(path, 0, codec="mjpeg", pixels="yuvj420p"),
}


@pytest.mark.parametrize("name", NO_VIDEOS)
def test_what_is_no_video_is_told_at_once(name, tmp_path) -> None:
    write_video(tmp_path / "clip.mp4", 2)  # which a list must not lead to
    NO_VIDEOS[name](tmp_path / name)
    clip, started = VideoFile(tmp_path / name), time.monotonic()
    for ask in (clip.numbers, clip.read, clip.stream):
        with pytest.raises(DataError, match=name):
            ask()
    assert clip.fps is None
    (fault,) = clip.check("own/a/b")
    assert said([fault]) == [("excludes", "unreadable video")]
    assert name in fault.message
    assert time.monotonic() - started < 2


def test_a_video_cut_short_is_told_or_read_as_far_as_it_goes(videos, tmp_path) -> None:
    lost = tmp_path / "lost.mp4"  # what says where the frames are lies at the end of such a file
    lost.write_bytes(cut_in_half((videos / "h264.mp4").read_bytes()))
    with pytest.raises(DataError, match=r"lost\.mp4: expected a video .* damaged or was copied in part"):
        VideoFile(lost).numbers()
    short = tmp_path / "short.avi"
    short.write_bytes(cut_in_half((videos / "raw.avi").read_bytes()))
    clip = VideoFile(short)
    count = len(clip.numbers())
    assert 10 < count < 25
    assert [index_in(frame) for frame in clip.read()] == list(range(count))
    (fault,) = clip.check("own/a/b")
    assert said([fault]) == [("noted", "unreadable video")]
    assert f"announces 40 frames, {count} can be read" in fault.message
    long = write_video(tmp_path / "long.mkv", 120, codec="ffv1", pixels="yuv444p")
    long.write_bytes(cut_in_half(long.read_bytes()))
    assert "announces 4.0 s" in VideoFile(long).check("own/a/b")[0].message


def test_a_video_that_is_mostly_a_hole_is_given_up_in_time(videos, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(containers, "MAX_SECONDS", 0.3)
    for name in ("h264.mkv", "h264.avi", "mjpeg.avi"):
        begins = (videos / name).read_bytes()
        started = time.monotonic()
        clip = VideoFile(hole(tmp_path / name, begins[:300]))
        with pytest.raises(DataError, match=name):
            clip.numbers()
        assert clip.fps is None
        assert said(clip.check("own/a/b")) == [("excludes", "unreadable video")]
        clip = VideoFile(hole(tmp_path / name, begins))
        assert [index_in(frame) for frame in clip.read([0, 39])] == [0, 39]
        assert time.monotonic() - started < 5


def test_a_hole_after_the_last_frame_is_searched_once(videos, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(containers, "MAX_SECONDS", 0.6)
    clip = VideoFile(hole(tmp_path / "clip.mkv", (videos / "h264.mkv").read_bytes()))
    assert len(clip.numbers()) == COUNT
    started = time.monotonic()
    assert [index_in(frame) for frame in clip.read()] == list(range(COUNT))
    assert time.monotonic() - started < 0.5


def test_damaged_frames_are_named_and_the_others_can_be_read(tmp_path) -> None:
    path = write_video(tmp_path / "clip.avi", codec="mjpeg", pixels="yuvj420p")
    content = bytearray(path.read_bytes())
    begins = [index for index in range(len(content) - 1) if content[index : index + 2] == b"\xff\xd8"]
    pixels = content.index(b"\xff\xda", begins[9])  # of the tenth picture, after its tables
    after = begins[10] - 8  # where the head of the next one begins
    content[pixels + 20 : after] = bytes(after - pixels - 20)
    path.write_bytes(content)
    clip = VideoFile(path)
    assert len(clip.numbers()) == COUNT
    assert [index_in(frame) for frame in clip.read([8, 10, 39])] == [8, 10, 39]
    for ask in (clip.read, lambda: clip.read([9]), lambda: list(clip.stream(5))):
        with pytest.raises(DataError, match=r"clip\.avi: frame 10 cannot be decoded"):
            ask()
    (fault,) = clip.check("own/a/b")
    assert said([fault]) == [("excludes", "unreadable video")]
    assert "1 of 40 frames cannot be decoded: 10" in fault.message
    assert clip.check("own/a/b", [1, 40]) == []
    assert "1 of 2 frames" in clip.check("own/a/b", [1, 10])[0].message


@pytest.mark.parametrize("kind", ["h264.mp4", "h264.mkv", "b_frames.avi", "vp9.mkv", "h265.mp4"])
def test_random_damage_ends_in_an_error_of_ours_or_in_frames(kind, videos, tmp_path) -> None:
    content = (videos / kind).read_bytes()
    chance = np.random.default_rng(1)
    for turn in range(12):
        damaged = bytearray(content)
        for at in chance.integers(0, len(content), 8):
            damaged[at] = chance.integers(0, 256)
        if turn % 3 == 0:
            del damaged[int(chance.integers(1, len(content))) :]
        path = tmp_path / f"{turn}{kind}"
        path.write_bytes(damaged)
        clip = VideoFile(path)
        said(clip.check("own/a/b"))
        for ask in (clip.numbers, clip.read, lambda clip=clip: list(clip.stream(0, None, 3))):
            with contextlib.suppress(DataError):  # nothing else may be raised
                assert len(ask()) > 0


def test_a_failure_is_found_once(tmp_path, monkeypatch) -> None:
    (tmp_path / "clip.mp4").write_text("no video")
    asked = []
    original = video.index_of
    monkeypatch.setattr(video, "index_of", lambda path: asked.append(path) or original(path))
    clip = VideoFile(tmp_path / "clip.mp4")
    for _ in range(3):
        with pytest.raises(DataError):
            clip.numbers()
    assert len(asked) == 1


def test_after_damage_frames_are_trusted_from_the_next_key_frame_on(tmp_path) -> None:
    path = write_video(tmp_path / "clip.avi", codec="mpeg4", options={"bf": "0"})
    whole, content = VideoFile(path).read(), bytearray(path.read_bytes())
    with containers.opened(path) as opened:
        at = [packet.pos for packet in opened.container.demux(opened.stream) if packet.size][15]
    content[at + 12 : at + 30] = b"\x55" * 18  # the sixteenth picture; the 25th is the next key frame
    path.write_bytes(content)
    clip = VideoFile(path)
    (fault,) = clip.check("own/a/b")
    assert "9 of 40 frames cannot be decoded: 16, 17, 18, 19, 20, 21, 22, 23, 24" in fault.message
    others = [*range(15), *range(24, COUNT)]
    np.testing.assert_array_equal(clip.read(others), whole[others])
    with pytest.raises(DataError, match="frame 20 cannot be decoded"):
        clip.read([19])


def memory() -> int:
    """Bytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux alone tells so what a process holds")
def test_memory_does_not_grow_with_the_length_of_a_video(tmp_path) -> None:
    count, shape = 3000, (120, 160)
    path = write_video(tmp_path / "long.mp4", count, codec="mpeg4", shape=shape)
    every = count * shape[0] * shape[1] * 3
    clip = VideoFile(path)
    next(clip.stream())
    before = memory()
    most, seen = 0, 0
    for index, _ in enumerate(clip.stream()):
        seen += 1
        if index % 50 == 0:
            most = max(most, memory() - before)
    assert seen == count
    assert clip.check("own/a/b") == []
    clip.read([0, count // 2, count - 1])
    most = max(most, memory() - before)
    assert most < every / 10, f"{most / 1e6:.0f} MB of {every / 1e6:.0f}"


# -- archives ---------------------------------------------------------------------------------------------------------


def test_a_grey_archive_has_three_equal_channels_and_its_listed_digest(tmp_path) -> None:
    grey = [numbered(index)[..., 0] for index in range(3)]
    (tmp_path / "clip.zip").write_bytes(pack_frames(encoded(frame) for frame in grey))
    clip = FrameArchive(tmp_path / "clip.zip", "a" * 64)
    np.testing.assert_array_equal(clip.read(), np.stack([grey] * 3, axis=-1))
    assert next(clip.stream(2)).shape == (48, 64, 3)
    assert clip.stamp() == "a" * 64


def test_a_damaged_archive_is_told(tmp_path) -> None:
    path = tmp_path / "clip.zip"
    content = bytearray(pack_frames(encoded(numbered(index)) for index in range(3)))
    content[60:90] = bytes(30)
    path.write_bytes(content)
    clip = FrameArchive(path, "a" * 64)
    assert said(clip.check("own/a/b")) == [("excludes", "unreadable image")]
    assert clip.check("own/a/b", [3]) == []
    with pytest.raises(DataError, match=r"clip\.zip is damaged"):
        clip.read()
