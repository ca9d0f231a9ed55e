// J, K and L as on an editing machine: each press faster, forwards or backwards. Browsers play no film backwards, so
// there it goes from picture to picture, each as soon as the one before it is shown.
const SHUTTLE = [1, 2, 4, 8];
/** Fewer pictures a second look like a slide show, more are not decoded in time. */
const BACK_STEP_MS = 80;

class Shuttle {
  constructor(player) {
    this.player = player;
    this.direction = 0;
    this.step = 0;
    this.timer = 0;
  }

  get running() {
    return this.direction !== 0;
  }

  /** -4, 1, 2 …; 0 while it is not in use. */
  get speed() {
    return this.direction * (SHUTTLE[this.step] ?? 1);
  }

  push(direction) {
    const faster = this.direction === direction;
    this.step = faster ? Math.min(SHUTTLE.length - 1, this.step + 1) : 0;
    this.direction = direction;
    clearTimeout(this.timer);
    const { media } = this.player;
    if (direction > 0) {
      media.playbackRate = this.speed;
      media.play().catch(() => {});
    } else {
      media.pause();
      this.lastMs = performance.now();
      this.goBack();
    }
    this.player.showSpeed();
  }

  goBack() {
    if (this.direction >= 0) return;
    const { media } = this.player;
    const now = performance.now();
    // While a picture is still looked for, time goes on and the next step is longer.
    if (!media.seeking) {
      const to = media.currentTime + (this.speed * (now - this.lastMs)) / 1000;
      this.lastMs = now;
      media.currentTime = Math.max(0, to);
      if (to <= 0) return this.end();
    }
    this.timer = setTimeout(() => this.goBack(), BACK_STEP_MS);
  }

  /** Stands still, and plays at the chosen speed when it is played again. */
  end() {
    if (!this.running) return;
    clearTimeout(this.timer);
    this.direction = 0;
    this.step = 0;
    this.player.media.pause();
    this.player.media.playbackRate = this.player.chosenSpeed;
    this.player.showSpeed();
  }
}

globalThis.kinomill.Shuttle = Shuttle;
