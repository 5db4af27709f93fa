"""The Model Context Protocol: tools by which an assistant reads this server and, where it was allowed to, changes it.

Owns: the protocol, the tools, and what is asked before a change. Never knows how a call reaches the management API.
"""

from sealwright.mcp.api_calls import ApiCall, ApiCallFailed
from sealwright.mcp.confirm_tokens import CONFIRMED_WITHIN, MOST_AT_ONCE, ConfirmTokens, ConfirmTokensInMemory, digest_of_call
from sealwright.mcp.messages import LONGEST_MESSAGE
from sealwright.mcp.tool_server import PROTOCOL_VERSIONS, ToolServer
from sealwright.mcp.tools import TOOLS, Tool

__all__ = [
    "CONFIRMED_WITHIN",
    "LONGEST_MESSAGE",
    "MOST_AT_ONCE",
    "PROTOCOL_VERSIONS",
    "TOOLS",
    "ApiCall",
    "ApiCallFailed",
    "ConfirmTokens",
    "ConfirmTokensInMemory",
    "Tool",
    "ToolServer",
    "digest_of_call",
]
