/** Rigs and servers of one test, all closed after it. */
import { ImportRig, type RigOptions } from "./import-rig.ts";
import { type Answerer, LinkServer } from "./link-server.ts";

export interface ImportGround {
  openRig(options?: RigOptions): Promise<ImportRig>;
  openServer(answer: Answerer): Promise<LinkServer>;
  /** The last opened first: a rig ends before the server that it asks. */
  closeAll(): Promise<void>;
}

export function importGround(): ImportGround {
  const closing: (() => Promise<void>)[] = [];
  return {
    openRig: async (options = {}) => {
      const rig = await ImportRig.open(options);
      closing.push(() => rig.close());
      return rig;
    },
    openServer: async (answer) => {
      const server = await LinkServer.start(answer);
      closing.push(() => server.close());
      return server;
    },
    closeAll: async () => {
      for (const close of closing.splice(0).reverse()) await close();
    },
  };
}

export const MIB = 1024 ** 2;

export function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}
