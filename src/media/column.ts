/** Numbers by the million, in eight bytes each: a figure for every frame of some hours. */

const firstRoom = 1024;

export class Column {
  private room = new Float64Array(firstRoom);
  private count = 0;

  get length(): number {
    return this.count;
  }

  push(value: number): void {
    if (this.count === this.room.length) {
      const larger = new Float64Array(this.room.length * 2);
      larger.set(this.room);
      this.room = larger;
    }
    this.room[this.count] = value;
    this.count += 1;
  }

  /** What was pushed, in order: a view that is good until the next push. */
  values(): Float64Array {
    return this.room.subarray(0, this.count);
  }
}
