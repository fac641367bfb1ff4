/** Round distances of a ruler: 1, 2 or 5 times a power of ten, none below a millisecond. */
export function ticksOf(total: number, about = 5): number[] {
  if (!(total > 0)) return [0];
  const raw = Math.max(1, total / about);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step);
}
