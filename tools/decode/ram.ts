// `--ram`: the guest's memory as it is at the end of the stream, a file for each block. That pages are missing is an
// error here, for the files then look whole and are not.

import { RamImage } from '../../formats/qemu/stream/ram-image.ts'
import type { DecodeOptions } from './options.ts'
import { fileError } from '../../terminal/file-error.ts'
import { RamFiles } from './ram-files.ts'
import { say } from '../../terminal/standard-streams.ts'
import { complain, endingText, walk, type Walked, type WalkSettings } from './walk.ts'
import { inflatePage } from './zlib-pages.ts'

export async function writeRam(
  path: string,
  folder: string,
  { format }: DecodeOptions,
  settings: WalkSettings,
): Promise<void> {
  let walked: Walked
  let paths: ReadonlyMap<string, string>
  let pages = 0
  try {
    const files = new RamFiles(folder)
    try {
      const image = new RamImage(files, inflatePage)
      walked = await walk(path, image, settings)
      ;({ pages } = image)
    } finally {
      files.close()
    }
    ;({ paths } = files)
  } catch (error) {
    throw fileError(folder, error, 'write')
  }
  const { ending = null, offset, hint } = walked
  const error = walked.error ?? walked.missing
  if (format === 'json') {
    const blocks = [...paths].map(([block, file]) => ({ block, file }))
    const fault = error === undefined ? null : { code: error.code, offset, message: error.message }
    say(
      `${JSON.stringify({ stream: path, blocks, pages, ending, endsAt: offset, error: fault })}\n`,
    )
    complain(path, { error, hint })
    return
  }
  for (const [block, file] of paths) say(`${block}: ${file}\n`)
  say(`${pages} pages; ${endingText(walked)}\n`)
  complain(path, { error, hint })
}
