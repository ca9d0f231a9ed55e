/** The settings of the name on the local network. */
import { z } from "zod";

export const mdnsSettings = z
  .strictObject({
    mode: z
      .enum(["auto", "off"])
      .default("auto")
      .describe(
        "Whether the server is found as NAME.local by multicast DNS. auto: not in a container and not where it listens to this machine alone.",
      ),
    name: z
      .string()
      .regex(
        /^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/,
        "must be a name of small letters, digits and dashes",
      )
      .default("kinomill")
      .describe(
        "The name without .local. Where another has it already, a number is put behind it: kinomill-2.local.",
      ),
  })
  .prefault({});
