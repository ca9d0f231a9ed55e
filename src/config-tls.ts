/** The settings of TLS. */
import { z } from "zod";

export const tlsSettings = z
  .strictObject({
    mode: z
      .enum(["off", "self-signed", "files"])
      .default("off")
      .describe(
        "off: plain HTTP, also behind a proxy that has TLS. self-signed: a certificate that Kinomill makes for the names and addresses of this machine, which browsers warn of once. files: the certificate of certFile and keyFile.",
      ),
    certFile: z
      .string()
      .max(4096)
      .default("")
      .describe(
        "PEM file with the certificate and those between it and its authority (fullchain.pem). It is read again when it changes. credential:NAME is /etc/kinomill/credentials/NAME.",
      ),
    keyFile: z
      .string()
      .max(4096)
      .default("")
      .describe("PEM file with the private key, read again with it."),
    passphrase: z
      .string()
      .max(1000)
      .default("")
      .describe(
        "Passphrase of the private key, where it has one. secret:NAME is the one that kinomill secret set NAME keeps; empty: the one of the name tls.passphrase, if there is one.",
      ),
    hstsDays: z
      .int()
      .min(0)
      .max(730)
      .default(7)
      .describe(
        "With files: days for which browsers, after a visit, use nothing but TLS for this host name (HSTS). 0: it is not said. Never with a certificate of Kinomill's own.",
      ),
    redirectListen: z
      .string()
      .regex(
        /^((\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5})?$/,
        "must be HOST:PORT, for example 0.0.0.0:7680",
      )
      .default("")
      .describe(
        "Address and port of plain HTTP that answers with the way to TLS. Empty: none; on the port with TLS plain HTTP is not understood.",
      ),
  })
  .refine(
    ({ mode, certFile, keyFile }) => mode !== "files" || (certFile !== "" && keyFile !== ""),
    {
      path: ["certFile"],
      message: "certFile and keyFile must both be given when tls.mode is files",
    },
  )
  .prefault({});
