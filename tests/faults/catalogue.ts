/**
 * The faults that Kinomill promises to survive: what is promised, what is done to it, and which test does it.
 * `script/faults-doc.ts` makes docs/faults.md of this and of what the tests counted.
 */

export interface FaultEntry {
  /** `a–z -`; a test that counts names it. */
  id: string;
  /** For a person who reads the table. */
  what: string;
  promise: string;
  /** How it is made to happen. */
  injected: string;
  /** What shows that the test can fail: the same with the protection off, or null with the reason in `injected`. */
  control: string;
  /** Test file, from the top of the repository. */
  test: string;
}

export const faults: readonly FaultEntry[] = [
  {
    id: "kill",
    what: "The server is killed at any moment (kill -9)",
    promise:
      "No job is lost, doubled or falsified, no finished step is done again, and no ffmpeg stays. A job that was there at three deaths in a row waits for a person.",
    injected: "SIGKILL to the server at random moments while jobs of several steps run.",
    control: "A server that does not take up finished steps is seen to do them again.",
    test: "tests/faults/kill.test.ts",
  },
  {
    id: "kill-chunks",
    what: "The server is killed near the end of a long encode",
    promise:
      "What was encoded is not encoded again but for the parts that ran: at most one on each core that encodes, and one more whose packets are looked at.",
    injected:
      "SIGKILL to the server when nine tenths of the parts of a film are done, or four tenths of those of a ladder.",
    control: "A server that does not take up finished steps is seen to encode most of it again.",
    test: "tests/faults/kill-chunks.test.ts",
  },
  {
    id: "kill-at-write",
    what: "The server is killed at a write",
    promise:
      "Outputs are published all together or not at all, once, and what was encoded is not encoded again.",
    injected:
      "SIGKILL at the Nth fsync, link, mkdir, rename, unlinkat or pwrite64 of a publication (strace).",
    control: "A server that records outputs before the job is seen to publish halves.",
    test: "tests/faults/publication.test.ts",
  },
  {
    id: "power-cut",
    what: "The plug is pulled",
    promise:
      "Every file and job that was acknowledged is there, whole, once; jobs that ran go on by themselves.",
    injected:
      "The file system (XFS) is shut down without writing its log while files and jobs come in, the server is killed, and the disk is mounted again.",
    control: "With fsync made a no-op (libeatmydata) acknowledged work is lost.",
    test: "tests/faults/power-cut.test.ts",
  },
  {
    id: "disk-full-upload",
    what: "The disk fills up while files come in",
    promise:
      "The upload is answered with 507, nothing of it stays, and the next one works once there is room.",
    injected: "A small file system is filled up; then it grows again.",
    control: "Without the fault the same upload is taken.",
    test: "tests/faults/disk-full.test.ts",
  },
  {
    id: "disk-full-encode",
    what: "The disk fills up while a video is encoded",
    promise:
      "No half output appears. The job says that the disk is full, and there is work again within 10 s of there being room, without a restart.",
    injected: "A file fills the data folder's file system while ffmpeg writes.",
    control: "Without the fault the same job succeeds.",
    test: "tests/faults/disk-full.test.ts",
  },
  {
    id: "disk-full-hls",
    what: "The disk fills up while a ladder for HLS is written",
    promise:
      "No playlist without its segments is published: all files of the ladder or none. There is work again within 10 s of there being room, and the job runs again or says that the disk was full.",
    injected:
      "A file fills the data folder's file system while ffmpeg writes segments; its HLS muxer goes on and may exit with 0.",
    control: "Without the fault the same ladder is published.",
    test: "tests/faults/disk-full.test.ts",
  },
  {
    id: "disk-full-commit",
    what: "The disk is full to the last byte when the database writes",
    promise:
      "What cannot be recorded is refused with 507; what was recorded stays; work goes on within 10 s of there being room.",
    injected:
      "The file system is filled up to the last page, then jobs are asked for; then it is freed.",
    control: "Without the fault the same jobs are taken.",
    test: "tests/faults/disk-full.test.ts",
  },
  {
    id: "disk-error",
    what: "The disk fails to write (EIO)",
    promise:
      "Refused with 507 rather than acknowledged; the database stays whole; work goes on when the disk does.",
    injected:
      "Every fsync and fdatasync of the running server fails with EIO for a stretch (strace).",
    control: "The stretch is seen: at least one request is refused.",
    test: "tests/faults/disk-error.test.ts",
  },
  {
    id: "database-locked",
    what: "Another program locks the database",
    promise:
      "Nothing acknowledged is lost. What waits too long is answered with 503 and can be sent again; work goes on when the lock is gone.",
    injected: "A second process holds a write transaction for longer than the server waits.",
    control: "The lock is seen: a request in that time is refused or waits.",
    test: "tests/faults/database-locked.test.ts",
  },
  {
    id: "ffmpeg-crash",
    what: "ffmpeg crashes",
    promise:
      "The job fails with what happened and a hint, or is tried again; nothing half-made is published, and the next job works.",
    injected: "SIGSEGV to the ffmpeg that encodes.",
    control: "Without it the same job succeeds.",
    test: "tests/faults/ffmpeg.test.ts",
  },
  {
    id: "ffmpeg-hang",
    what: "ffmpeg hangs",
    promise: "It is ended when there was no progress for the stall limit, and the job says so.",
    injected: "A stand-in for ffmpeg sleeps instead of encoding and ignores SIGTERM.",
    control: "Without it the same job succeeds.",
    test: "tests/faults/ffmpeg.test.ts",
  },
  {
    id: "ffmpeg-stopped",
    what: "ffmpeg is stopped from outside (SIGSTOP)",
    promise: "It counts as hanging, is killed (SIGTERM does nothing to it), and the job says so.",
    injected: "SIGSTOP to the ffmpeg that encodes.",
    control: "Without it the same job succeeds.",
    test: "tests/faults/ffmpeg.test.ts",
  },
  {
    id: "ffmpeg-out-of-memory",
    what: "The kernel kills ffmpeg for its memory",
    promise:
      "The job says that ffmpeg was killed, probably for memory; the server and other jobs go on.",
    injected: "SIGKILL to the ffmpeg that encodes, which is what the kernel sends.",
    control: "Without it the same job succeeds.",
    test: "tests/faults/ffmpeg.test.ts",
  },
  {
    id: "ffmpeg-memory-limit",
    what: "ffmpeg needs more memory than it is allowed",
    promise:
      "The job says that ffmpeg was killed, probably for memory; the server and other jobs go on.",
    injected:
      "ffmpeg starts in a memory cgroup of 24 MB, where the kernel's own OOM killer ends it.",
    control: "The kernel counts the kill, and outside the cgroup the same job succeeds.",
    test: "tests/faults/ffmpeg.test.ts",
  },
  {
    id: "ffmpeg-chatter",
    what: "ffmpeg talks without end and makes no progress",
    promise:
      "Its talk is not taken for progress: it is ended after the stall limit. Memory does not grow with what it says.",
    injected:
      "A stand-in for ffmpeg writes megabytes to standard error and repeats the same progress.",
    control: "Without it the same job succeeds.",
    test: "tests/faults/ffmpeg.test.ts",
  },
  {
    id: "ffmpeg-lies",
    what: "ffmpeg ends well, and the file is cut short",
    promise: "The output is proven before it is published: the job does not succeed with it.",
    injected: "A stand-in cuts the file that the real ffmpeg made in half and exits with 0.",
    control: "Without it the same job succeeds.",
    test: "tests/faults/ffmpeg.test.ts",
  },
  {
    id: "clock-jump",
    what: "The clock jumps a day forward or back",
    promise:
      "Running and queued jobs end well, sessions and waits go by a clock that does not jump, and new jobs are taken.",
    injected: "The server's wall clock is moved by ±1 day while it works (libfaketime).",
    control: "The server is seen to tell the moved time.",
    test: "tests/faults/clock.test.ts",
  },
  {
    id: "gpu-lost",
    what: "A GPU is lost while it encodes",
    promise:
      "The job goes on elsewhere, on another GPU or the CPU, publishes once, and tells which attempt ran where and why it ended.",
    injected:
      "An emulated GPU falls off the bus in the middle of an encode, under the real NVENC code of ffmpeg.",
    control: "With the GPU there the same job takes one attempt, on a GPU.",
    test: "tests/faults/gpu-lost.test.ts",
  },
  {
    id: "shutdown",
    what: "The server is stopped (SIGTERM) with five jobs running",
    promise:
      "It ends within its limit and leaves no ffmpeg; the jobs are back in the queue, the interruption is not counted, and finished steps stay.",
    injected: "SIGTERM while five jobs encode that take longer than the drain.",
    control: "A server that takes the interruption for a failure is seen to count it.",
    test: "tests/faults/shutdown.test.ts",
  },
  {
    id: "second-server",
    what: "A second server is started on the same data",
    promise: "It is refused and told who has the data; the jobs that run notice nothing.",
    injected: "Another server is started on the data folder while a job encodes.",
    control: "Without the lock the second one takes the running job for a dead server's.",
    test: "tests/faults/second-server.test.ts",
  },
  {
    id: "migration-killed",
    what: "The server is killed while it brings the database to a new schema",
    promise:
      "The database has the old schema or the new, whole, with every row; the next start goes on from there.",
    injected:
      "SIGKILL at the Nth pwrite64, fsync or fdatasync of a migration that makes a table anew (strace).",
    control: "A migration outside a transaction is seen half done.",
    test: "src/database/crash.test.ts",
  },
];
