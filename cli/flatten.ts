// `colo flatten`: a forward recording, made into what Xen's own verify-stream-v2 reads. The recording is read
// twice, since where its last whole checkpoint ends is known only at its end. Memory stays bounded whatever its
// length.

import { read } from 'node:fs'
import { promisify } from 'node:util'
import { Flattener, type Flattened } from '../formats/xen/flatten.ts'
import { StreamError } from '../formats/xen/stream-error.ts'
import { StreamReader } from '../formats/xen/stream-reader.ts'
import { CliError } from '../terminal/exit-codes.ts'
import { fileError } from '../terminal/file-error.ts'
import { OutputFile } from '../tools/input/output-file.ts'
import { RereadableInput } from '../tools/input/rereadable-input.ts'
import { sayAside } from '../terminal/standard-streams.ts'
import { hintFor } from '../tools/input/stream-kind.ts'
import type { Verb } from '../terminal/verb-table.ts'

const CHUNK_BYTES = 256 * 1024
const readAsync = promisify(read)

export const flattenVerb: Verb = {
  name: 'flatten',
  description: "turn a forward recording into what Xen's verify-stream-v2 reads",
  operands: [
    { name: 'in', words: 'a *.forward file of --record, or - for standard input' },
    { name: 'out', words: 'the file to write, or - for standard output' },
  ],
  options: {},
  lesson: {
    when:
      "to have a session judged by somebody else's code. Each checkpoint becomes an image of its own; the\n" +
      '  stream is cut at the last whole checkpoint. EMULATOR_XENSTORE_DATA is left out, because the\n' +
      '  verifier refuses every payload of it.',
    examples: [
      ['colo up --record rec --for 5s', 'record'],
      ['colo flatten rec/a-g1-s1.forward flat', 'flatten'],
      ['verify-stream-v2 -f libxl -i flat', "Xen's verdict"],
    ],
  },
  async run([input = '', output = '']) {
    const told = await flatten(input, output)
    sayAside(`${describeFlattened(told)}\n`)
  },
}

export function describeFlattened({
  checkpoints,
  droppedXenstore,
  droppedBytes,
}: Flattened): string {
  return (
    `${checkpoints} checkpoints; ${droppedXenstore} EMULATOR_XENSTORE_DATA records left out; ` +
    `${droppedBytes} bytes behind the last whole checkpoint cut`
  )
}

async function flatten(path: string, out: string): Promise<Flattened> {
  const input = new RereadableInput(path)
  try {
    const endBytes = await findEnd(input)
    const output = new OutputFile(out, input.stats)
    try {
      const flattener = new Flattener((bytes) => output.write(bytes), { endBytes })
      for await (const chunk of chunksOf(input)) flattener.push(chunk)
      const told = flattener.finish()
      output.finish()
      return told
    } catch (error) {
      output.discard()
      throw error
    }
  } catch (error) {
    if (!(error instanceof StreamError)) throw fileError(path, error)
    const hint = hintFor(input.first(), 'flatten')
    throw new CliError('broken', `${path}: ${error.message}${hint}`, { cause: error })
  } finally {
    input.close()
  }
}

/** The whole of it. Between two pieces signals are heard. */
async function* chunksOf({ fd }: RereadableInput): AsyncGenerator<Uint8Array> {
  for (let position = 0; ;) {
    const chunk = new Uint8Array(CHUNK_BYTES)
    const { bytesRead } = await readAsync(fd, chunk, 0, chunk.length, position)
    if (bytesRead === 0) return
    yield chunk.subarray(0, bytesRead)
    position += bytesRead
  }
}

async function findEnd(input: RereadableInput): Promise<number> {
  const reader = new StreamReader(
    { record: () => {}, pageData: () => {}, pageBytes: () => {} },
    { form: 'libxl' },
  )
  for await (const chunk of chunksOf(input)) reader.push(chunk)
  if (reader.checkpointEndBytes > 0) return reader.checkpointEndBytes
  const { path } = input
  const why = reader.state.startsWith('ended')
    ? 'a saved image, which is flat as it is'
    : `it is cut off in '${reader.state}'`
  throw new CliError('broken', `${path}: there is no whole checkpoint in it: ${why}`)
}
