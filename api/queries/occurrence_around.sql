select (select number from app.work_orders o where o.id = this.work_order and o.started_at is not null and o.status not in ('closed', 'cancelled')) as order_begun,
    plan.statutory,
    coalesce((select other.position = this.position and other.plan <> this.plan and other.status in ('due', 'generated', 'done')
        and other.window_from <= this.window_to and other.window_to >= this.window_from
        from app.pm_occurrences other where other.id = $3 and other.tenant_id = $1), false) as absorber_fits
from app.pm_occurrences this join app.pm_plans plan on plan.id = this.plan
where this.tenant_id = $1 and this.id = $2
