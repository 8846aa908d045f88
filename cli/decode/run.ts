// What `colo decode` does for each of its options. A stream that is broken or cut off is told as far as it goes;
// the error is the last thing said, and the exit code tells.

import { sizesOfDevices } from '../../shared/formats/qemu/description-sizes.ts'
import type { DecodeOptions } from '../decode.ts'
import { CliError } from '../exit-codes.ts'
import { Summary } from './summary.ts'
import { summaryJson, summaryText } from './summary-text.ts'
import { DeviceStates } from './device-states.ts'
import { walk, type Walked, type WalkSettings } from './walk.ts'

/** The exit code. Raises CliError. */
export async function decode(path: string, options: DecodeOptions): Promise<void> {
  const settings = settingsOf(options)
  if (options.ram !== undefined) {
    const { writeRam } = await import('./ram.ts')
    return writeRam(path, options.ram, settings)
  }
  if (options.state || options.desc || options.compat) {
    const { showDevices } = await import('./devices.ts')
    return showDevices(path, options, settings)
  }
  return showSummary(path, options, settings)
}

function settingsOf({ pageSize, channel, descFrom }: DecodeOptions): WalkSettings {
  return {
    ...(pageSize !== undefined && { pageSize }),
    ...(channel !== undefined && { channels: channel }),
    ...(descFrom !== undefined && { sizes: sizesFrom(descFrom) }),
  }
}

function sizesFrom(path: string) {
  const { json, jsonOffset } = descriptionOf(path)
  return sizesOfDevices(json, jsonOffset)
}

/** The description of a stream. Raises CliError if it has none. */
export function descriptionOf(path: string): { json: Uint8Array; jsonOffset: number } {
  const states = new DeviceStates([])
  const { error } = walk(path, states)
  const { json, jsonOffset } = states
  if (json !== undefined) return { json, jsonOffset }
  const why = error === undefined ? 'it has none' : error.message
  throw new CliError('broken', `${path}: no description can be taken from it: ${why}`)
}

/** How it ended, as one line. */
export function endingText({ ending, error, offset }: Walked): string {
  if (error !== undefined) return `broken off: ${error.message}`
  if (ending === 'whole') return `whole: ends at byte ${offset}`
  return `whole up to its last checkpoint: the session ends at byte ${offset}, behind a request`
}

/** Raises what was wrong with the stream, as the last thing said. */
export function complain(path: string, { error }: Walked): void {
  if (error === undefined) return
  throw new CliError('broken', `${path}: ${error.message}`, { cause: error })
}

function showSummary(path: string, options: DecodeOptions, settings: WalkSettings): void {
  const summary = new Summary()
  const walked = walk(path, summary, settings)
  summary.finish()
  const { ending = null, error, offset, channels } = walked
  const told = {
    ...{ channels, ending, endsAt: offset },
    error: error === undefined ? null : { code: error.code, offset, message: error.message },
  }
  const text =
    options.format === 'json'
      ? summaryJson(summary, path, told)
      : summaryText(summary, path, endingText(walked))
  if (summary.version > 0) process.stdout.write(text)
  complain(path, walked)
}
