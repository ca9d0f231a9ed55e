import { longClip, longPlainClip } from "./material.ts";

console.log(await longClip(30), await longClip(10), await longPlainClip(10));
