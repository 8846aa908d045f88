// What the tests of a daemon's files share: a folder of their own, a list of warnings with what was told of it, and
// waiting for a condition.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { WarningList } from '../../daemon/warnings.ts'

const PATIENCE_MS = 20_000

export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'colo-daemon-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function warningList(): { warnings: WarningList; told: string[] } {
  const told: string[] = []
  const warnings = new WarningList({
    began: (name, text) => told.push(`${name} began: ${text}`),
    ended: (name, text) => told.push(`${name} ended: ${text}`),
    changed: () => undefined,
  })
  return { warnings, told }
}

/** Waits until `condition` holds. The deadline only ends a hung test. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
