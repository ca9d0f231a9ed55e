/** Each frame's score as libvmaf writes it: CSV whose columns depend on the model. */

export async function* vmafValues(
  lines: AsyncIterable<string>,
): AsyncGenerator<{ frame: number; score: number }> {
  let column: number | null = null;
  for await (const line of lines) {
    const fields = line.split(",");
    if (column === null) column = fields.indexOf("vmaf");
    else if (column > 0) yield { frame: Number(fields[0]), score: Number(fields[column]) };
  }
}
