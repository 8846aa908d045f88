// The moment of a stream that was asked for by its number, or why it is not there: the session has fewer, or it is
// broken off before.

import { CliError } from '../../terminal/exit-codes.ts'
import type { DeviceStates, Moment } from './device-states.ts'
import type { Walked } from './walk.ts'

/** Without a number: the last. Raises CliError: `broken` if the stream might have had it. */
export function momentOf(
  path: string,
  states: DeviceStates,
  number: number | undefined,
  { error }: Pick<Walked, 'error'>,
): Moment {
  const moment = number === undefined ? states.last : states.moments.get(number)
  if (moment !== undefined) return moment
  const missing = `there is no whole checkpoint ${number}; it has ${states.wholeCheckpoints}`
  if (error === undefined) throw new CliError('usage', `${path}: ${missing}`)
  throw new CliError('broken', `${path}: ${missing}, and then: ${error.message}`, { cause: error })
}
