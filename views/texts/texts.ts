/**
 * What people read on the pages, in one language: a translation is another folder beside `en/` with the same shape.
 * A text is a string, or a function of what it mentions. Names that people gave stand beside texts, never in them, where
 * a page must mark them with `hx-ignore`.
 */
import { frame } from "./en/frame.ts";
import { make } from "./en/make.ts";

export const texts = { frame, make } as const;
