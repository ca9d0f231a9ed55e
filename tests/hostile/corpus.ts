/** All hostile files there are. */
import { containerFiles } from "./containers.ts";
import { documents } from "./documents.ts";
import type { HostileFile } from "./ground.ts";
import { playlists } from "./playlists.ts";

export const corpus: readonly HostileFile[] = [...playlists, ...documents, ...containerFiles];
