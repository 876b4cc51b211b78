/** Whether the application is well: also without Redis, because its caches work without. */

import { LarderHealthIndicator } from '@larder/nest/terminus'
import { Controller, Get, Inject } from '@nestjs/common'
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus'

@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(LarderHealthIndicator) private readonly larder: LarderHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.larder.check('cache')])
  }
}
