"""What browsers and their launchers are called: by people, as programs, as applications of macOS."""

KNOWN = {
    "Firefox": ("firefox", "firefox-esr", "org.mozilla.firefox"),
    "Google Chrome": ("google-chrome", "google-chrome-stable", "chrome", "com.google.Chrome"),
    "Chromium": ("chromium", "chromium-browser", "org.chromium.Chromium"),
    "Microsoft Edge": ("microsoft-edge", "microsoft-edge-stable", "msedge", "com.microsoft.Edge"),
    "Brave Browser": ("brave-browser", "brave", "com.brave.Browser"),
    "Vivaldi": ("vivaldi", "vivaldi-stable", "com.vivaldi.Vivaldi"),
    "Opera": ("opera", "com.opera.Opera"),
    "Epiphany": ("epiphany", "epiphany-browser", "org.gnome.Epiphany"),
    "Falkon": ("falkon", "org.kde.falkon"),
}
"""Applications of macOS, each with the names of its program elsewhere; the last one is flatpak's."""

GRAPHICAL = ("x-www-browser", *(name for names in KNOWN.values() for name in names))
"""Programs on Linux that have a window, in the order in which they are tried."""

TEXT = {"lynx", "w3m", "links", "links2", "elinks", "browsh", "carbonyl", "chawan", "cha", "www-browser"}
"""Browsers that would take the terminal over."""

NOTHING = {"none", "true", "echo", ":"}
"""What people set ``$BROWSER`` to so that nothing opens; ``none`` is no program at all."""

READ_BROWSER = {"xdg-open", "sensible-browser"}
"""Launchers that may open what ``$BROWSER`` names and, without it, a text browser."""

SHELLS = {"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish"}
WINDOWS_SHELLS = {"cmd", "powershell", "pwsh"}
