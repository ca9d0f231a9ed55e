// Tells the server what went wrong in a script, so that somebody who can mend it reads it. Loaded before all others.
(() => {
  const REPORTS_MAX = 10; // Of one page: a fault in a loop is one fault.
  const TEXT_MAX = 4000;
  const root = document.documentElement;
  const seen = new Set();

  function report(kind, message, stack) {
    const text = String(message ?? "").slice(0, TEXT_MAX);
    const key = kind + text;
    if (seen.size >= REPORTS_MAX || seen.has(key) || !root.dataset.viewer) return;
    seen.add(key);
    const body = JSON.stringify({
      kind,
      message: text,
      stack: String(stack ?? "").slice(0, TEXT_MAX),
      page: location.pathname,
      build: root.dataset.build,
    });
    // It may fail as well; there is nobody left to tell.
    fetch(`${root.dataset.base}ui/errors`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      keepalive: true,
    }).catch(() => {});
  }

  addEventListener(
    "error",
    (event) => {
      // A picture or a script that did not load has no message; scripts are worth a report.
      if (event.message !== undefined)
        report(
          "error",
          event.message,
          event.error?.stack ?? `${event.filename}:${event.lineno}:${event.colno}`,
        );
      else if (event.target instanceof HTMLScriptElement)
        report("load", `${event.target.src} did not load`, "");
    },
    true,
  );
  addEventListener("unhandledrejection", (event) => {
    const { reason } = event;
    report("promise", reason?.message ?? reason, reason?.stack);
  });
})();
