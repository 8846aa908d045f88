// Runs a conversion: FILE is read two or three times, since what it needs first stands at its end; OUT is written as
// it comes, and has its name when it is whole.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ConvertOptions } from './options.ts'
import { CliError } from '../../terminal/exit-codes.ts'
import { OutputFile } from '../input/output-file.ts'
import { RereadableInput } from '../input/rereadable-input.ts'
import { say, sayAside } from '../../terminal/standard-streams.ts'
import { hintFor } from '../input/stream-kind.ts'
import type { ConversionAnswer, ConversionOrder } from './conversion.ts'
import { describeConversion, jsonOfConversion, type Conversion } from './report.ts'

const WORKER = new URL('./conversion-worker.js', import.meta.url)
/** What a stream leaves behind is short-lived: a larger nursery takes memory, and saves no time. */
const resourceLimits = { maxYoungGenerationSizeMb: 8 }

/** Raises CliError: `broken` for what is wrong in FILE, `usage` for the rest. */
export async function convert(file: string, out: string, options: ConvertOptions): Promise<void> {
  if (options.to === 'binary' && options.definite) {
    throw new CliError('usage', '--definite is for --to ber: leave it out')
  }
  const input = new RereadableInput(file)
  try {
    const output = new OutputFile(out, input.stats)
    try {
      const order = { input: { fd: input.fd, path: file }, output: { fd: output.fd, path: out } }
      const answer = await inThread({ ...order, options })
      if ('exit' in answer) throw refusal(answer, input, options)
      output.finish()
      const { to, definite = false } = options
      tell({ to, definite, from: input.stats.size, ...answer }, out, options)
    } catch (error) {
      output.discard()
      throw error
    }
  } finally {
    input.close()
  }
}

/** The same for people: with the way out where it was the other kind of file. */
function refusal(
  { exit, message }: { readonly exit: CliError['exit']; readonly message: string },
  input: RereadableInput,
  { to }: ConvertOptions,
): CliError {
  const hint = exit === 'broken' ? hintFor(input.first(), `convert --to ${to}`) : ''
  return new CliError(exit, `${message}${hint}`)
}

async function inThread(order: ConversionOrder): Promise<ConversionAnswer> {
  const worker = new Worker(WORKER, { workerData: order, resourceLimits })
  const [answer] = (await once(worker, 'message')) as [ConversionAnswer]
  return answer
}

function tell(done: Conversion, out: string, { format }: ConvertOptions): void {
  if (format === 'text') sayAside(describeConversion(done))
  else if (out === '-') sayAside(`${jsonOfConversion(done)}\n`)
  else say(`${jsonOfConversion(done)}\n`)
}
