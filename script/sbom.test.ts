import { expect, test } from "bun:test";
import { shippedPackages } from "./sbom.ts";

const integrity = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;

test("what the product needs is listed with its version and checksum, and nothing else is", () => {
  const lock = {
    workspaces: { "": { dependencies: { "@a/one": "1.0.0" } } },
    packages: {
      "@a/one": ["@a/one@1.0.0", "", { dependencies: { two: "^2", absent: "*" } }, integrity],
      two: ["two@1.9.9", "", {}, integrity],
      "@a/one/two": ["two@2.1.0", "", { dependencies: { three: "*" } }, integrity],
      three: ["three@3.0.0", "", { dependencies: { "@a/one": "*" } }, integrity],
      "only-for-tests": ["only-for-tests@1.0.0", "", {}, integrity],
      "built-in": ["built-in@1.2.3", "", { dependencies: { two: "*" } }, integrity],
    },
  } satisfies Parameters<typeof shippedPackages>[0];
  const listed = shippedPackages(lock);
  expect(listed.map(({ purl }) => purl)).toEqual([
    ...["pkg:npm/%40a/one@1.0.0", "pkg:npm/three@3.0.0", "pkg:npm/two@2.1.0"],
  ]);
  expect(shippedPackages(lock, ["built-in"]).map(({ purl }) => purl)).toEqual([
    ...["pkg:npm/%40a/one@1.0.0", "pkg:npm/built-in@1.2.3"],
    ...["pkg:npm/three@3.0.0", "pkg:npm/two@1.9.9", "pkg:npm/two@2.1.0"],
  ]);
  expect(listed[0]?.hashes).toEqual([{ alg: "SHA-512", content: "01".repeat(64) }]);
});
