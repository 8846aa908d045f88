// The time of a line for people, on the clock of this machine.

const twoDigits = (value: number) => String(value).padStart(2, '0')

/** `03:21:07.512`; `ms` as Date.now() has them. */
export function timeOfDay(ms: number): string {
  const date = new Date(ms)
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits)
  return `${parts.join(':')}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
