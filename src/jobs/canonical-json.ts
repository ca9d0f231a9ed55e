/** The same value gives the same text, whatever the order of its keys. */
export function canonicalJson(value: unknown): string {
  // Not by a replacer: JSON.stringify calls it for each value, and takes its slow way.
  return JSON.stringify(inOrder(value, ""));
}

function inOrder(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  const node = "toJSON" in value && typeof value.toJSON === "function" ? value.toJSON(key) : value;
  if (typeof node !== "object" || node === null) return node;
  if (Array.isArray(node)) return node.map((part, index) => inOrder(part, String(index)));
  // Without a prototype, so that every name is one; names that are numbers come first, in every object.
  const ordered: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(node).sort()) {
    ordered[name] = inOrder((node as Record<string, unknown>)[name], name);
  }
  return ordered;
}
