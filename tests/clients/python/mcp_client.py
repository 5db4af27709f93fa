"""A client of the Model Context Protocol on its Python SDK: it calls the tools that a test names, a line of JSON each.

Settings: `mode` (``legacy`` begins with ``initialize``, ``auto`` with ``server/discover``), and how the server is started.
"""

import asyncio

from conversation import read, tell
from mcp import Client, StdioServerParameters


async def main(settings):
    server = StdioServerParameters(command=settings["command"][0], args=settings["command"][1:], env=settings["environment"])
    async with Client(server, mode=settings["mode"]) as client:
        tools = [each.name for each in (await client.list_tools()).tools]
        tell({"version": client.protocol_version, "server": client.server_info.name, "tools": tools})
        while wanted := await asyncio.to_thread(read):
            result = await client.call_tool(wanted["tool"], wanted["arguments"])
            tell({"failed": result.is_error, "text": result.content[0].text, "value": result.structured_content})


asyncio.run(main(read()))
