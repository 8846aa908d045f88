// Xen's own verifier for tests. One that needs it asks first and says so where it can't be had.

import { spawnSync } from 'node:child_process'
import { xenReference } from '../../bench/xen-reference.ts'

export interface Verdict {
  readonly status: number | null
  readonly message: string
}

/** A file and how Xen's option -f names what is in it. */
export interface XenInput {
  readonly file: string
  readonly format: 'libxl' | 'libxc' | 'xl'
}

export interface Verifier {
  /** The verdict on a libxl stream. */
  (file: string): Verdict
  /** The verdicts on many streams, in a tenth of the time. */
  readonly many: (inputs: readonly XenInput[]) => Verdict[]
}

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

/** Starting Python takes longer than verifying: this starts it once, and forks for each stream. */
const FORKING = `
import json, os, runpy, sys
import logging, optparse, struct, xen.migration.libxc, xen.migration.libxl, xen.migration.xl
script = sys.argv[1]
for line in sys.stdin:
    asked = json.loads(line)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv = [script, '-f', asked['format'], '-i', asked['file']]
        status = 0
        try:
            runpy.run_path(script, run_name='__main__')
        except SystemExit as end:
            status = end.code or 0
        sys.stderr.flush()
        os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as said:
        text = said.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps({'status': status, 'stderr': text}))
`

/** Behind an exception that it did not expect it asks to be mended. */
function lastLine(stderr: string): string {
  const lines = stderr.trim().split('\n')
  return lines.findLast((line) => line !== '' && line !== 'Please fix me') ?? ''
}

/** Undefined where there is no Python 3, or no Debian to have the package from. */
export function xenVerifier(): Verifier | undefined {
  const reference = xenReference()
  if (reference === undefined) return undefined
  const { script, env } = reference
  const one = (file: string): Verdict => {
    const run = spawnSync('python3', [script, '-f', 'libxl', '-i', file], { env })
    return { status: run.status, message: lastLine(String(run.stderr)) }
  }
  const many = (inputs: readonly XenInput[]): Verdict[] => {
    const input = inputs.map((asked) => `${JSON.stringify(asked)}\n`).join('')
    const options = { env, input, maxBuffer: OUTPUT_BYTES_MAX }
    const { stdout, stderr } = spawnSync('python3', ['-c', FORKING, script], options)
    const lines = String(stdout).trim().split('\n')
    if (lines.length !== inputs.length) throw new Error(`Xen's verifier: ${String(stderr)}`)
    return lines.map((line) => {
      const said = JSON.parse(line) as { readonly status: number; readonly stderr: string }
      return { status: said.status, message: lastLine(said.stderr) }
    })
  }
  return Object.assign(one, { many })
}
