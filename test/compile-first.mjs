// However tests are started, what they run is compiled and bundled of the present sources: some start processes from
// dist/. It is done again before each rerun of a watch.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const SETUP = join(import.meta.dirname, '..', 'setup.mjs')

function compile() {
  const { status } = spawnSync(process.execPath, [SETUP], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) throw new Error('the sources could not be compiled: see above')
}

export function setup(project) {
  compile()
  project.onTestsRerun(compile)
}
