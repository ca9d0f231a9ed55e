import { describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import fc from "fast-check";
import { Refusal } from "../trouble.ts";
import {
  guardOrigin,
  hostGuard,
  isOpenPath,
  isOverTls,
  readCredential,
  safeNext,
  sessionCookie,
} from "./guard.ts";

const secret = "s".repeat(43);

function request(headers: Record<string, string>, method = "POST"): Request {
  return new Request("http://localhost/x", { method, headers });
}

function codeOf(work: () => void): string | null {
  try {
    work();
    return null;
  } catch (cause) {
    if (cause instanceof Refusal) return `${cause.status} ${cause.code}`;
    throw cause;
  }
}

describe("the host", () => {
  const guard = hostGuard(["Media.example.org"]);
  const allowed = [
    "localhost",
    "localhost:7600",
    "127.0.0.1:7600",
    "192.168.1.20",
    "[::1]:7600",
    "[fe80::1]",
    hostname(),
    `${hostname()}.local:7600`,
    "media.example.org",
    "MEDIA.example.org.:443",
  ];
  for (const host of allowed) {
    test(`${host} is answered`, () => {
      expect(codeOf(() => guard(request({ host }), host))).toBeNull();
    });
  }
  const foreign = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "1.2.3.4.5",
    "xmedia.example.org",
    "localhost:7600:80",
  ];
  for (const host of foreign) {
    test(`${host} is refused as another's name`, () => {
      expect(codeOf(() => guard(request({ host }), host))).toBe("421 misdirected_host");
    });
  }

  test("two Host headers, joined by the runtime, are refused", () => {
    expect(codeOf(() => guard(request({}), "localhost, evil.example"))).toBe("400 bad_host");
  });
});

describe("the origin of a change", () => {
  const session = { kind: "session", secret } as const;
  const judge = (headers: Record<string, string>, credential = session, method = "POST") =>
    codeOf(() => guardOrigin(request(headers, method), credential, "box:7600"));

  test("the own page may change things", () => {
    expect(judge({ origin: "http://box:7600" })).toBeNull();
    expect(judge({ origin: "https://box:7600" })).toBeNull();
    const behindProxy = request({ origin: "https://films.example" }, "POST");
    for (const host of ["films.example", "films.example:443"]) {
      expect(codeOf(() => guardOrigin(behindProxy, session, host))).toBeNull();
    }
    expect(codeOf(() => guardOrigin(behindProxy, session, "films.example:80"))).toBe(
      "403 cross_origin",
    );
    expect(judge({ "sec-fetch-site": "same-origin", origin: "http://box:7600" })).toBeNull();
    expect(judge({ "sec-fetch-site": "same-origin" })).toBeNull();
  });

  test("pages of other sites, other ports and sandboxed frames may not", () => {
    for (const headers of [
      { origin: "http://evil.example" },
      { origin: "http://box:7601" },
      { origin: "http://box" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "same-origin", origin: "http://evil.example" },
      {},
    ]) {
      expect(judge(headers as Record<string, string>)).toBe("403 cross_origin");
    }
  });

  test("reading is free, and a token is not sent by browsers on their own", () => {
    expect(judge({ origin: "http://evil.example" }, session, "GET")).toBeNull();
    const token = { kind: "token", secret } as unknown as typeof session;
    expect(judge({ origin: "http://evil.example" }, token)).toBeNull();
  });

  test("a login from another site's page is refused although it brings no cookie", () => {
    const none = { kind: "none" } as unknown as typeof session;
    expect(judge({ origin: "http://evil.example" }, none)).toBe("403 cross_origin");
    expect(judge({}, none)).toBeNull();
  });
});

describe("the credential", () => {
  test("is read from the header first, then from the cookie", () => {
    const cookie = `other=1; kinomill_session=${secret}; x=y`;
    const authorization = `Bearer kmt_${secret}`;
    expect(readCredential(request({ cookie }))).toEqual({ kind: "session", secret });
    expect(readCredential(request({ cookie, authorization }))).toEqual({
      kind: "token",
      secret: `kmt_${secret}`,
    });
  });

  test("a broken header is nobody, not the cookie's owner", () => {
    const cookie = `kinomill_session=${secret}`;
    for (const authorization of ["Basic abc", "Bearer ", `Bearer ${secret}`, `kmt_${secret}`]) {
      expect(readCredential(request({ cookie, authorization }))).toEqual({ kind: "none" });
    }
  });

  test("a cookie of another form is nobody", () => {
    for (const value of ["", "short", "a b".repeat(20), "é".repeat(43), "x".repeat(500)]) {
      const header = new Headers();
      header.set("cookie", `kinomill_session=${encodeURI(value)}`);
      expect(readCredential(new Request("http://localhost/", { headers: header })).kind).toBe(
        "none",
      );
    }
  });

  test("its cookie is closed to scripts and to other sites, and to plain HTTP when TLS was used", () => {
    const expires = "2026-02-01T00:00:00.000Z";
    expect(sessionCookie(secret, expires, false)).toBe(
      `kinomill_session=${secret}; Path=/; Expires=Sun, 01 Feb 2026 00:00:00 GMT; HttpOnly; SameSite=Lax`,
    );
    expect(sessionCookie(secret, expires, true)).toEndWith("; Secure");
    expect(sessionCookie(null, "", false)).toContain("kinomill_session=; Path=/; Max-Age=0;");
    expect(isOverTls(request({ origin: "https://box" }), false)).toBe(true);
    expect(isOverTls(request({ origin: "http://box" }), false)).toBe(false);
    expect(isOverTls(request({}), true)).toBe(true);
  });
});

test("only the short list of paths is open", () => {
  for (const path of ["/login", "/setup", "/health", "/health/ready", "/static/app.css"]) {
    expect(isOpenPath(path)).toBe(true);
  }
  for (const path of ["/", "/api/v1/system", "/loginx", "/health/x", "/staticx", "/static", ""]) {
    expect(isOpenPath(path)).toBe(false);
  }
});

describe("the way back after the login", () => {
  test("is a path of this site or the library", () => {
    expect(safeNext("/jobs/jb_1?x=1")).toBe("/jobs/jb_1?x=1");
    for (const text of [
      null,
      "",
      "jobs",
      "//evil.example",
      "/\\evil.example",
      "/\t/evil.example",
      "http://evil.example/",
      "javascript:alert(1)",
      "/.//evil.example",
      "/x/..//evil.example",
      "/a\r\nSet-Cookie: x",
    ]) {
      expect(safeNext(text)).toBe("/");
    }
  });

  test("never leaves the site, whatever was sent", () => {
    const piece = fc.constantFrom("/", "\\", ".", "..", "evil.example", ":", "@", "%2f", "?", "#");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const next = safeNext(`/${pieces.join("")}`);
        expect(next).toStartWith("/");
        expect(new URL(next, "http://box:7600").origin).toBe("http://box:7600");
      }),
    );
  });
});
