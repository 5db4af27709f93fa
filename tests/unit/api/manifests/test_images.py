"""Images of clients in a manifest: set, compared by their content, taken away, exported; and what is no image is refused."""

import base64
import random
import zlib

import pytest

from tests.unit.api.manifests.test_apply import administered, applied, changed
from tests.unit.oauth.clients.test_image_formats import gif, png

WIKI = {"kind": "confidential", "display_name": "Wiki", "landing_url": "https://wiki.example.org"}


def manifest(image):
    return {"version": 1, "clients": {"wiki": {**WIKI, "image": image}}}


def data(content):
    return {"data": base64.b64encode(content).decode()}


def shown(body):
    return [
        (each["before"], each["after"]) for change in body["changes"] for each in change["members"] if each["name"] == "image"
    ]


async def exported_image(world, token):
    status, page = await world.call("GET", "/manifest/clients", token=token)
    assert status == 200, page
    return page["items"][0]["entry"].get("image")


async def test_image_is_set_replaced_and_taken_away_and_a_second_time_nothing():
    async with administered() as (world, token):
        before = None
        for image in (png(), gif(), None):
            wanted = None if image is None else data(image)
            _, trial = await applied(world, token, manifest(wanted), dry_run=True)
            status, body = await applied(world, token, manifest(wanted))
            assert (status, body["changes"]) == (200, trial["changes"])
            ((told_before, told_after),) = shown(body)
            assert told_before == before
            assert (told_after is None) is (image is None)
            assert "data" not in str(body)
            before = told_after
            assert await exported_image(world, token) == wanted
            events = len(await world.audit.newest(world.db, at_most=500))
            _, again = await applied(world, token, manifest(wanted))
            assert (again["changes"], len(await world.audit.newest(world.db, at_most=500))) == ([], events)


async def test_manifest_that_names_no_image_leaves_it():
    async with administered() as (world, token):
        await applied(world, token, manifest(data(png())))
        _, body = await applied(world, token, {"version": 1, "clients": {"wiki": WIKI}})
        assert body["changes"] == []
        assert await exported_image(world, token) == data(png())


BOMB = png(1024, 1024, pixels=zlib.compress(bytes(64_000_000))[:9])  # says 4 MB of pixels and holds none


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (data(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "The image is an SVG"),
        (data(b"GIF89a"), "The image is not a valid image/gif"),
        (data(png(40_000, 40_000, pixels=bytes(50))), "40000 by 40000 pixels"),
        (data(png(2, 2, pixels=bytes(30_000_000))), "its pixels are not as many as its size says"),
        (data(BOMB), "its pixels are not as many as its size says"),
        (data(bytes(256 * 1024 + 1)), "The image has 262145 bytes."),
        ({"data": "not base64!"}, "The data of the image is not base64."),
        ({"file": "/etc/passwd"}, "does not say where it is"),
        ("wiki.png", "does not say where it is"),
    ],
)
async def test_what_is_no_image_or_a_bomb_is_refused_with_its_place_and_nothing_is_applied(image, words):
    async with administered() as (world, token):
        status, body = await applied(world, token, manifest(image))
        assert (400 <= status < 500, words in body["detail"]) == (True, True), body
        assert body["pointer"] == "/clients/wiki/image"
        assert (await world.call("GET", "/oauth2/clients/wiki", token=token))[0] == 404


async def test_image_is_set_only_by_someone_who_may_change_the_client():
    async with administered() as (world, token):
        await applied(world, token, manifest(data(png())))
        reader = await world.token("carol", "idm_people_admins")
        status, body = await applied(world, reader, {"version": 1, "clients": {"wiki": {"image": data(gif())}}})
        assert (status, body["code"]) == (403, "not_permitted")
        assert await exported_image(world, token) == data(png())


async def test_page_of_an_export_ends_where_its_images_are_large():
    async with administered() as (world, token):
        noise = random.Random(7)
        large = data(png(600, 100, pixels=b"".join(b"\0" + noise.randbytes(2400) for _ in range(100))))
        names = [f"app-{number}" for number in range(6)]
        status, body = await applied(world, token, {"version": 1, "clients": {name: {**WIKI, "image": large} for name in names}})
        assert (status, len(changed(body))) == (200, 6), body
        _, page = await world.call("GET", "/manifest/clients", token=token)
        assert 1 < len(page["items"]) < 6
        _, rest = await world.call("GET", "/manifest/clients", token=token, query=f"after={page['next']}")
        assert [each["name"] for each in (*page["items"], *rest["items"])] == names


async def test_manifest_of_very_many_entries_is_refused_before_it_is_looked_at_and_one_of_large_images_is_not():
    async with administered() as (world, token):
        crowd = {"version": 1, "people": {f"p{number}": {"wrong": 1} for number in range(60_000)}}
        status, problem = await applied(world, await world.token("guest"), crowd)
        assert (status, problem["code"]) == (403, "not_permitted")
        status, problem = await applied(world, token, crowd)
        assert (status, problem["code"]) == (413, "too_large")
        assert "without its images; 1048576 are taken" in problem["detail"]
        large = {f"wiki{number}": {**WIKI, "image": data(bytes(250_000))} for number in range(4)}
        status, problem = await applied(world, token, {"version": 1, "clients": large})
        assert (status, problem["code"]) == (400, "client_refused"), problem
