"""A client of the Model Context Protocol on its Python SDK: it calls the tools that a test names, a line of JSON each.

Settings: `mode` (``legacy`` begins with ``initialize``, ``auto`` with ``server/discover``), and how the server is reached: by a
`command`, or at a `url` with an access token that the SDK gets for itself.
"""

import asyncio
import ssl

import httpx2
from conversation import ask, read, tell
from mcp import Client, StdioServerParameters
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata


class Storage:
    """What the SDK keeps: the client was registered by an administrator."""

    def __init__(self, registered):
        self._client = OAuthClientInformationFull.model_validate(registered)
        self._tokens = None

    async def get_tokens(self):
        return self._tokens

    async def set_tokens(self, tokens):
        self._tokens = tokens

    async def get_client_info(self):
        return self._client

    async def set_client_info(self, client_info):
        self._client = client_info


def authorized(settings):
    """Gets a token where the server asks for one; the person's browser is the test's."""
    came_back = {}

    async def open_browser(url):
        came_back.update(await asyncio.to_thread(ask, {"open": url}))

    async def wait_for_browser():
        return AuthorizationCodeResult(**came_back)

    metadata = OAuthClientMetadata.model_validate(settings["registered"])
    return OAuthClientProvider(settings["url"], metadata, Storage(settings["registered"]), open_browser, wait_for_browser)


async def converse(client):
    tools = [each.name for each in (await client.list_tools()).tools]
    tell({"version": client.protocol_version, "server": client.server_info.name, "tools": tools})
    while wanted := await asyncio.to_thread(read):
        result = await client.call_tool(wanted["tool"], wanted["arguments"])
        tell({"failed": result.is_error, "text": result.content[0].text, "value": result.structured_content})


async def main(settings):
    if "command" in settings:
        command = settings["command"]
        server = StdioServerParameters(command=command[0], args=command[1:], env=settings["environment"])
        async with Client(server, mode=settings["mode"]) as client:
            await converse(client)
        return
    trusted = ssl.create_default_context(cafile=settings["ca"])
    async with httpx2.AsyncClient(verify=trusted, auth=authorized(settings)) as http:
        transport = streamable_http_client(settings["url"], http_client=http)
        async with Client(transport, mode=settings["mode"]) as client:
            await converse(client)


asyncio.run(main(read()))
