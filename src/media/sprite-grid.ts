/** What a reader of a sheet of small pictures must know: picture `n` stands for the time from `n × every` seconds on. */
export interface SpriteGrid {
  every: number;
  count: number;
  columns: number;
  rows: number;
  tileWidth: number;
  tileHeight: number;
}
