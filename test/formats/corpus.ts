// The corpus of Xen's streams beside the checkout, with what is said of each. Empty where it is not
// there; whoever tests with it says so.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../checkout.ts'

const folder = join(ROOT, '../shared/corpus/xen-streams')

export interface CorpusFile {
  readonly file: string
  /** As given to Xen's verifier. */
  readonly format: 'libxl' | 'libxc' | 'xl'
  readonly isBack: boolean
  /** What Xen's verifier said: its exit code, and the last line of it, 'OK' for 0. */
  readonly exit: number
  readonly message: string
  /** The specification's verdict, 'silent' when only Xen's C reader decides. */
  readonly spec: string
  readonly reader: string
}

function formatOf(word: string): CorpusFile['format'] {
  return word === 'libxc' || word === 'xl' ? word : 'libxl'
}

export function corpusFiles(): CorpusFile[] {
  if (!existsSync(folder)) return []
  const [, ...lines] = readFileSync(`${folder}/verdicts.tsv`, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [file = '', format = '', exit, message = '', , spec = '', reader = ''] = line.split('\t')
    const isBack = file.startsWith('back-')
    return { file, format: formatOf(format), isBack, exit: Number(exit), message, spec, reader }
  })
}

export function corpusBytes({ file }: CorpusFile): Uint8Array {
  return new Uint8Array(readFileSync(`${folder}/${file}`))
}
