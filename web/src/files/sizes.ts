const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** A number of bytes as people say it. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toLocaleString(undefined, { maximumFractionDigits: digits })} ${UNITS[unit]}`;
}

const WIDE_PX = 360;
const HIGH_PX = 280;
const LEAST_PX = 72;

/** How large a picture is drawn in a message: whole, and never larger than it is. */
export function drawnSize(width: number, height: number): { width: number; height: number } {
  if (!(width > 0) || !(height > 0)) return { width: 240, height: 180 };
  const scale = Math.min(1, WIDE_PX / width, HIGH_PX / height);
  return { width: Math.max(LEAST_PX, Math.round(width * scale)), height: Math.max(LEAST_PX, Math.round(height * scale)) };
}

/** What a file is, in a word that fits a corner: by its name, since that is what people know it by. */
export function kindText(name: string, type: string): string {
  const ending = /\.([a-z0-9]{1,4})$/i.exec(name)?.[1];
  return (ending ?? type.split('/')[1]?.slice(0, 4) ?? '').toUpperCase();
}
