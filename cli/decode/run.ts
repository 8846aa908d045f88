// What `colo decode` does for each of its options. A stream that is broken or cut off is told as far as it goes;
// the error is the last thing said, and the exit code tells.

import { sizesOfDevices } from '../../shared/formats/qemu/description-sizes.ts'
import type { DecodeOptions } from '../decode.ts'
import { say } from '../standard-streams.ts'
import { complain, endingText, walk, type WalkSettings } from './walk.ts'

/** Raises CliError. */
export async function decode(path: string, options: DecodeOptions): Promise<void> {
  const settings = await settingsOf(options)
  if (options.ram !== undefined) {
    const { writeRam } = await import('./ram.ts')
    return writeRam(path, options.ram, settings)
  }
  if (options.trace) {
    const { showTrace } = await import('./trace.ts')
    return showTrace(path, options, settings)
  }
  if (options.at !== undefined) {
    const { showPlace } = await import('./place.ts')
    return showPlace(path, options.at, options, settings)
  }
  if (options.diff !== undefined || options.diffCheckpoint !== undefined) {
    const { showDifferences } = await import('./differences.ts')
    return showDifferences(path, options, settings)
  }
  if (options.state || options.desc || options.compat || options.checkpoint !== undefined) {
    const { showDevices } = await import('./devices.ts')
    return showDevices(path, options, settings)
  }
  return showSummary(path, options, settings)
}

async function settingsOf(options: DecodeOptions): Promise<WalkSettings> {
  const { pageSize, channel, descFrom } = options
  let sizes
  if (descFrom !== undefined) {
    const { json, jsonOffset } = await (await import('./descriptions.ts')).descriptionOf(descFrom)
    sizes = sizesOfDevices(json, jsonOffset)
  }
  return {
    ...(pageSize !== undefined && { pageSize }),
    ...(channel !== undefined && { channels: channel }),
    ...(sizes !== undefined && { sizes }),
  }
}

async function showSummary(
  path: string,
  options: DecodeOptions,
  settings: WalkSettings,
): Promise<void> {
  const { Summary } = await import('./summary.ts')
  const { summaryJson, summaryText } = await import('./summary-text.ts')
  const summary = new Summary()
  const walked = await walk(path, summary, settings)
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
  if (summary.version > 0) say(text)
  complain(path, walked)
}
