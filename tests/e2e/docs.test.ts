import { chromium, type Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { secrets } from '../support/service.ts';
import { onEachDatabase, serve } from '../support/suite.ts';

onEachDatabase('Swagger UI at /docs', (kind) => {
  const served = serve(kind);

  it('authorizes, starts a call, joins it and ends it', async () => {
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage({ viewport: { width: 1200, height: 1600 } });
      const complaints: string[] = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('request', (request) => {
        if (!request.url().startsWith(served.service.url) && !request.url().startsWith('data:')) complaints.push(`asks ${request.url()}`);
      });
      await page.goto(`${served.service.url}/docs`);
      await page.getByRole('button', { name: 'Authorize' }).first().click();
      const dialog = page.locator('.modal-ux');
      await dialog.locator('input').first().fill(secrets.backendKey);
      await dialog.getByRole('button', { name: /apply credentials/i }).first().click();
      await dialog.getByRole('button', { name: /^close$/i }).first().click();

      const started = await execute(page, 'startCall', {}, 201);
      const call_id = String(started.call_id);
      const joined = await execute(page, 'joinCall', { call_id, user_id: 'bob' }, 200);
      expect(joined).toMatchObject({ call_id, user_id: 'bob' });
      const ended = await execute(page, 'endCall', { call_id }, 200);
      expect(ended).toMatchObject({ call_id, status: 'ended' });
      if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/docs-${kind}.png`, fullPage: true });
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

/** Opens an operation, fills its parameters, executes it as its example stands, and reads the answer. */
async function execute(page: Page, operation: string, parameters: Record<string, string>, status: number): Promise<Record<string, unknown>> {
  const block = page.locator(`[id$="-${operation}"].opblock`);
  await block.locator('.opblock-summary-control').click();
  for (const [name, value] of Object.entries(parameters)) {
    await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
  }
  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await block.getByRole('button', { name: 'Execute' }).click();
  const response = await answer;
  expect(response.status(), await response.text()).toBe(status);
  await block.locator('.live-responses-table .response-col_status').first().waitFor();
  return (await response.json()) as Record<string, unknown>;
}
