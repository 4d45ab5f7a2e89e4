# ruff: noqa: E501 — one icon a line reads better than a wrapped drawing
"""The icons of Socle: 24 × 24 outlines drawn with the current text colour.

Each value is the inside of an `<svg>`; it is trusted markup and must stay constant.
"""

from typing import Final

ICONS: Final[dict[str, str]] = {
    "act": '<path d="M6 3h8l4 4v14H6z"/><path d="M14 3v4h4M9 12h6M9 16h6"/>',
    "alert": '<path d="M12 3.5 21.5 20h-19z"/><path d="M12 10v4.5M12 17.4v.1"/>',
    "archive": '<path d="M3 5h18v4H3zM5 9v10h14V9M10 13h4"/>',
    "back": '<path d="M20 12H4m6-6-6 6 6 6"/>',
    "bell": '<path d="M6 17V11a6 6 0 0 1 12 0v6l2 1.5H4zM10 21h4"/>',
    "building": '<path d="M3 21h18M5 21V10l7-6 7 6v11M10 21v-5h4v5M12 10v.1"/>',
    "calendar": '<path d="M4 6h16v14H4zM4 10h16M8 3v4M16 3v4"/>',
    "cancel": '<path d="m6 6 12 12M18 6 6 18"/>',
    "check": '<path d="m4.5 12.5 5 5 10-11"/>',
    "chevron": '<path d="m6 9 6 6 6-6"/>',
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5.2l3.5 2"/>',
    "dot": '<circle cx="12" cy="12" r="5"/>',
    "download": '<path d="M12 4v11m-5-5 5 5 5-5M4 20h16"/>',
    "edit": '<path d="m4 20 1-4.5L16 4.5l3.5 3.5L8.5 19zM14 6.5l3.5 3.5"/>',
    "error": '<path d="M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8z"/><path d="M12 7v6M12 16.4v.1"/>',
    "euro": '<path d="M18 6.2A7 7 0 1 0 18 17.8M4 10.5h9M4 13.5h9"/>',
    "file": '<path d="M6 3h8l4 4v14H6zM14 3v4h4"/>',
    "filter": '<path d="M3 5h18l-7 8v6l-4 2v-8z"/>',
    "flow": '<path d="M4 8h14m-4-4 4 4-4 4M20 16H6m4-4-4 4 4 4"/>',
    "graduation": '<path d="M2 9.5 12 5l10 4.5L12 14zM6 11.5V17c3.5 2.5 8.5 2.5 12 0v-5.5"/>',
    "help": '<circle cx="12" cy="12" r="9"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.4-1 .8-1 1.7M12 16.8v.1"/>',
    "home": '<path d="M4 11.5 12 4l8 7.5M6 10v10h12V10M10 20v-5h4v5"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.6v.1"/>',
    "key": '<circle cx="7.5" cy="15.5" r="4"/><path d="m10.5 12.5 9-9M15.5 7.5l3 3"/>',
    "list": '<path d="M9 6h11M9 12h11M9 18h11M4.5 6v.1M4.5 12v.1M4.5 18v.1"/>',
    "lock": '<path d="M5 11h14v10H5zM8 11V8a4 4 0 0 1 8 0v3M12 15v2"/>',
    "mail": '<path d="M3 5h18v14H3z"/><path d="m3 7 9 6.5L21 7"/>',
    "menu": '<path d="M4 6h16M4 12h16M4 18h16"/>',
    "next": '<path d="M4 12h16m-6-6 6 6-6 6"/>',
    "pause": '<path d="M8 5v14M16 5v14"/>',
    "people": '<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.5a6.5 6.5 0 0 1 3.5 5.5"/>',
    "phone": '<path d="M5 3h4l1.5 5L8 9.5a12 12 0 0 0 6.5 6.5L16 13.5l5 1.5v4c0 1-1 2-2 2C11 20.5 3.5 13 3 5c0-1 1-2 2-2z"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "print": '<path d="M7 9V3h10v6M7 17H3V9h18v8h-4M7 14h10v7H7z"/>',
    "refresh": '<path d="M20 12a8 8 0 1 1-2.5-5.8M20 3v4.5h-4.5"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5.5 5.5"/>',
    "send": '<path d="M21 3 3 10l7 4 4 7zM10 14l5-5"/>',
    "settings": '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>',
    "shield": '<path d="M12 3l8 3v6c0 5-3.5 8-8 9.5C7.5 20 4 17 4 12V6z"/><path d="m8.5 12 2.5 2.5 4.5-5"/>',
    "upload": '<path d="M12 15V4m-5 5 5-5 5 5M4 20h16"/>',
    "user": '<circle cx="12" cy="8" r="4"/><path d="M4.5 21a7.5 7.5 0 0 1 15 0"/>',
}
