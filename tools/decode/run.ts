// What `colo decode` does for each of its options. A stream that is broken or cut off is told as far as it goes;
// the error is the last thing said, and the exit code tells.

import { sizesOfDevices } from '../../formats/qemu/description/description-sizes.ts'
import type { DecodeOptions } from './options.ts'
import { say } from '../../terminal/standard-streams.ts'
import { CliError } from '../../terminal/exit-codes.ts'
import { complain, endingText, walk, type WalkSettings } from './walk.ts'

const STDIN = '-'

/** Raises CliError. */
export async function decode(path: string, options: DecodeOptions): Promise<void> {
  checkInputs(path, options)
  const settings = await settingsOf(options)
  if (options.ram !== undefined) {
    const { writeRam } = await import('./ram.ts')
    return writeRam(path, options.ram, options, settings)
  }
  if (options.trace || options.traceSave || options.at !== undefined) {
    return showTwice(path, options, settings)
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

/** What reads the stream once more when it is known what is at its end. */
async function showTwice(
  path: string,
  options: DecodeOptions,
  settings: WalkSettings,
): Promise<void> {
  const { RereadableInput } = await import('../input/rereadable-input.ts')
  const input = new RereadableInput(path)
  try {
    if (options.at === undefined) {
      const { showTrace } = await import('./trace.ts')
      await showTrace(path, options.trace ? 'load' : 'save', { ...settings, input })
    } else {
      const { showPlace } = await import('./place.ts')
      await showPlace(path, options.at, options, { ...settings, input })
    }
  } finally {
    input.close()
  }
}

/** Standard input is read once. */
function checkInputs(
  path: string,
  { diff, descFrom, channel = [], trace, traceSave, format }: DecodeOptions,
): void {
  const inputs = [path, diff, descFrom, ...channel].filter((one) => one === STDIN)
  if (inputs.length > 1) {
    throw new CliError('usage', 'standard input is one stream: give a file for the others')
  }
  if ((trace || traceSave) && format === 'json') {
    throw new CliError('usage', 'a trace is lines of text only: leave -f json out')
  }
}

async function settingsOf(options: DecodeOptions): Promise<WalkSettings> {
  const { pageSize, channel, descFrom } = options
  let sizes
  let other
  if (descFrom !== undefined) {
    other = await (await import('./descriptions.ts')).descriptionOf(descFrom)
    sizes = sizesOfDevices(other.json, other.jsonOffset)
  }
  return {
    ...(pageSize !== undefined && { pageSize }),
    ...(channel !== undefined && { channels: channel }),
    ...(sizes !== undefined && { sizes }),
    ...(other !== undefined && { other }),
  }
}

async function showSummary(
  path: string,
  options: DecodeOptions,
  settings: WalkSettings,
): Promise<void> {
  const { Summary } = await import('./summary.ts')
  const { channelLines, summaryJson, summaryText } = await import('./summary-text.ts')
  const summary = new Summary()
  const walked = await walk(path, summary, settings)
  summary.finish()
  const { ending = null, error, offset, channels, channelRows, missing } = walked
  const told = {
    ...{ channels, pageChannels: channelRows, ending, endsAt: offset },
    missing: missing?.rule ?? null,
    error: error === undefined ? null : { code: error.code, offset, message: error.message },
  }
  const text =
    options.format === 'json'
      ? summaryJson(summary, path, told)
      : summaryText(summary, path, [...channelLines(walked), endingText(walked)])
  if (options.format === 'json' || summary.version > 0) say(text)
  complain(path, walked)
}
