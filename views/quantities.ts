/** Numbers in words that a person reads: sizes, times, rates. */

const sizeUnits = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Decimal units, as disks and browsers count: 104857600 → "105 MB". */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < sizeUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${sizeUnits[unit]}`;
}

/** As on a player: 61.44 → "1:01", 3725 → "1:02:05"; below ten seconds with tenths: "3.2 s". */
export function durationText(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}

/** How long something takes or took, in words: 75 → "1 min 15 s". */
export function spanText(seconds: number): string {
  if (seconds < 1) return "less than a second";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor(whole / 3600) % 24} h`;
}

const secondsOfUnit = { days: 86_400, hours: 3600, minutes: 60, seconds: 1, milliseconds: 0.001 };

/** A number of a unit, in the greatest unit in which it is whole: 600000 milliseconds → "10 minutes". */
export function countedText(value: number, unit: string | null): string {
  if (value === 0 || unit === null) return value.toLocaleString("en");
  if (unit === "bytes per second") return `${sizeText(value)} per second`;
  const own = secondsOfUnit[unit as keyof typeof secondsOfUnit] ?? null;
  const [greatest, each] = Object.entries(secondsOfUnit).find(
    ([, seconds]) => own !== null && seconds >= own && Number.isInteger((value * own) / seconds),
  ) ?? [unit, own ?? 1];
  const count = own === null ? value : (value * own) / each;
  return `${count.toLocaleString("en")} ${count === 1 ? greatest.replace(/s$/, "") : greatest}`;
}

/** 13650000 → "13.7 Mbit/s". */
export function bitRateText(bitsPerSecond: number): string {
  if (bitsPerSecond >= 999_500) return `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}

/** A rational as ffprobe gives it: "30000/1001" → "29.97 fps"; null when it is no rate. */
export function frameRateText(rational: string): string | null {
  const [over, under = "1"] = rational.split("/");
  const rate = Number(over) / Number(under);
  if (!Number.isFinite(rate) || rate <= 0) return null;
  return `${Number(rate.toFixed(2))} fps`;
}

/** 1.0 → "1.0×", 12.34 → "12×". */
export function speedText(speed: number): string {
  return `${speed < 9.95 ? speed.toFixed(1) : Math.round(speed)}×`;
}
