//! Who may do what: the 17 roles and the 73 features, as one table. The API enforces it and its documents show it.

use serde::{Deserialize, Serialize};

/// What a role is to a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Letter {
    /// Everything within scope.
    Full,
    /// Part of it: the handler knows which.
    Limited,
    /// Reading.
    Read,
    /// Only rows assigned to the user or their provider.
    Assigned,
    /// Only the user's own records.
    Own,
    None,
}

/// What a request wants of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Read,
    /// Changing something; where the letter is not `Full`, the handler looks at the row too.
    Write,
    /// Changing something that part access never covers.
    Full,
}

impl Letter {
    pub const fn allows(self, need: Need) -> bool {
        match need {
            Need::Read => !matches!(self, Letter::None),
            Need::Write => matches!(self, Letter::Full | Letter::Limited | Letter::Assigned | Letter::Own),
            Need::Full => matches!(self, Letter::Full),
        }
    }

    const fn of(symbol: u8) -> Letter {
        match symbol {
            b'F' => Letter::Full,
            b'L' => Letter::Limited,
            b'R' => Letter::Read,
            b'A' => Letter::Assigned,
            b'S' => Letter::Own,
            _ => Letter::None,
        }
    }
}

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident = $name:literal),+ $(,)?) => {
        /// What a person is here for. The order is that of the table's columns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Role { $($(#[$doc])* $role),+ }

        impl Role {
            pub const ALL: [Role; 17] = [$(Role::$role),+];

            pub const fn name(self) -> &'static str {
                match self { $(Role::$role => $name),+ }
            }
        }
    };
}

roles! {
    /// Configures tenant, users, integrations.
    TenantAdmin = "tenant_admin",
    /// Investor or owner; reads results.
    AssetOwner = "asset_owner",
    PortfolioManager = "portfolio_manager",
    /// Accountable for a site; approves.
    PlantManager = "plant_manager",
    SiteEngineer = "site_engineer",
    MaintenancePlanner = "maintenance_planner",
    MaintenanceSupervisor = "maintenance_supervisor",
    FieldTechnician = "field_technician",
    ControlRoomOperator = "control_room_operator",
    ReliabilityEngineer = "reliability_engineer",
    InventoryCoordinator = "inventory_coordinator",
    EhsOfficer = "ehs_officer",
    ComplianceOfficer = "compliance_officer",
    FinanceController = "finance_controller",
    Dispatcher = "dispatcher",
    ProviderManager = "provider_manager",
    ProviderTechnician = "provider_technician",
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        Role::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| format!("no role {text:?}; the roles are {}", Role::ALL.map(Role::name).join(", ")))
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What can be allowed. The numbers are those of the permission matrix and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Feature {
    /// View work orders.
    F01,
    /// Create and edit work orders.
    F02,
    /// Submit and approve.
    F03,
    /// Schedule and assign.
    F04,
    /// Execute (start, hold, complete).
    F05,
    /// Verify and close.
    F06,
    /// Cancel and reopen.
    F07,
    /// Record labour, parts, measurements.
    F08,
    /// Bulk operations and job templates.
    F09,
    /// View registry and hierarchy.
    F10,
    /// Create and edit assets/positions.
    F11,
    /// Change lifecycle status.
    F12,
    /// Documents and media.
    F13,
    /// Warranties and claims.
    F14,
    /// Decommission and retire.
    F15,
    /// Import, export, QR labels.
    F16,
    /// View live and historical telemetry.
    F17,
    /// Configure sources, gateways, points.
    F18,
    /// Manual readings and meters.
    F19,
    /// Restate (correct) data.
    F20,
    /// Calculated points.
    F21,
    /// Calibration records.
    F22,
    /// View alarms.
    F23,
    /// Acknowledge, comment, assign.
    F24,
    /// Shelve, suppress, out of service.
    F25,
    /// Author rules.
    F26,
    /// Approve and publish rules.
    F27,
    /// What-if replay.
    F28,
    /// On-call and escalation chains.
    F29,
    /// Notification templates and own preferences.
    F30,
    /// View PM calendar and forecast.
    F31,
    /// Edit PM plans.
    F32,
    /// Generate, skip, absorb occurrences.
    F33,
    /// View predictions and explanations.
    F34,
    /// Accept or dismiss predictions.
    F35,
    /// Manage models, cards, drift.
    F36,
    /// View stock.
    F37,
    /// Part master.
    F38,
    /// Reserve, issue, return, consume.
    F39,
    /// Adjust and cycle count.
    F40,
    /// Requisitions.
    F41,
    /// Purchase orders and receipts.
    F42,
    /// Vendors and scorecards.
    F43,
    /// See part prices.
    F44,
    /// Providers, teams, technicians.
    F45,
    /// Skills, zones, calendars, absences.
    F46,
    /// Service orders.
    F47,
    /// Search availability, pre-book, confirm.
    F48,
    /// Assign, offer, broadcast.
    F49,
    /// Accept, decline, negotiate date.
    F50,
    /// Check in/out, mobile execution.
    F51,
    /// Work closing form.
    F52,
    /// Technical-visit outcome.
    F53,
    /// Contracts and e-signature.
    F54,
    /// Operator tasks.
    F55,
    /// SLA policies and calendars.
    F56,
    /// View SLA clocks and breaches.
    F57,
    /// Exclude or override SLA time.
    F58,
    /// View work-order costs.
    F59,
    /// Rate cards and cost entries.
    F60,
    /// Budgets and commitments.
    F61,
    /// Invoices and pro-forma.
    F62,
    /// Permits to work and lockout.
    F63,
    /// Incidents and near misses.
    F64,
    /// Dashboards and KPIs.
    F65,
    /// Report builder and schedules.
    F66,
    /// Generate and review compliance reports.
    F67,
    /// Attest and submit.
    F68,
    /// Lineage and as-of queries.
    F69,
    /// Users, roles, grants.
    F70,
    /// Integrations, API keys, webhooks.
    F71,
    /// Audit log and retention.
    F72,
    /// Privacy requests and tenant settings.
    F73,
}

impl Feature {
    pub fn all() -> impl Iterator<Item = Feature> {
        TABLE.iter().map(|(feature, _, _)| *feature)
    }

    pub const fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// `F01`, …
    pub fn code(self) -> String {
        format!("{self:?}")
    }

    pub const fn letter(self, role: Role) -> Letter {
        Letter::of(TABLE[self as usize].2.as_bytes()[role as usize])
    }
}

/// Feature, its name, and one symbol per role in the order of [`Role::ALL`]: F full, L limited, R read, A assigned
/// rows, S own records, - none.
const TABLE: [(Feature, &str, &str); 73] = {
    use Feature::*;
    [
        (F01, "View work orders", "RRRFFFFARRRRRRRAA"),
        (F02, "Create and edit work orders", "---FFFFLL--L--F--"),
        (F03, "Submit and approve", "--LFL-L----------"),
        (F04, "Schedule and assign", "---FFFF-------F--"),
        (F05, "Execute (start, hold, complete)", "---FF-FA-------AA"),
        (F06, "Verify and close", "---FFLF----------"),
        (F07, "Cancel and reopen", "---FFFL-------L--"),
        (F08, "Record labour, parts, measurements", "---FF-FA--L----AA"),
        (F09, "Bulk operations and job templates", "L--FFF---L-------"),
        (F10, "View registry and hierarchy", "RRRFFRRARRRRRRRAA"),
        (F11, "Create and edit assets/positions", "F--FFL-----------"),
        (F12, "Change lifecycle status", "---FF-LLL--------"),
        (F13, "Documents and media", "F-RFFFFA-RRFFRRAA"),
        (F14, "Warranties and claims", "R-RFFL---RF--R-A-"),
        (F15, "Decommission and retire", "---FF--------R---"),
        (F16, "Import, export, QR labels", "F--FFF----F------"),
        (F17, "View live and historical telemetry", "RRRFFRRLFF--R----"),
        (F18, "Configure sources, gateways, points", "F--LF---LL-------"),
        (F19, "Manual readings and meters", "---FFFFA--L----AA"),
        (F20, "Restate (correct) data", "---LF---LF--L----"),
        (F21, "Calculated points", "L---F----F-------"),
        (F22, "Calibration records", "---FFFL--R--R--AA"),
        (F23, "View alarms", "RRRFFRRAFR-RR-R--"),
        (F24, "Acknowledge, comment, assign", "---FF-FLF-----L--"),
        (F25, "Shelve, suppress, out of service", "---LF-L-F--------"),
        (F26, "Author rules", "L---F---LF-------"),
        (F27, "Approve and publish rules", "L--F-----F-------"),
        (F28, "What-if replay", "--L-F---LF--L----"),
        (F29, "On-call and escalation chains", "F--FLLL-L-----L--"),
        (F30, "Notification templates and own preferences", "FSSSSSSSSSSSSSSSS"),
        (F31, "View PM calendar and forecast", "RRRFFFFARRRRRRR--"),
        (F32, "Edit PM plans", "---FFF---L-------"),
        (F33, "Generate, skip, absorb occurrences", "---FFFL----------"),
        (F34, "View predictions and explanations", "RRRFFRR-RF--R----"),
        (F35, "Accept or dismiss predictions", "---FF-L-LF-------"),
        (F36, "Manage models, cards, drift", "L--------F--R----"),
        (F37, "View stock", "R-RFFFFR-RFR-RRRR"),
        (F38, "Part master", "F--LL-----F------"),
        (F39, "Reserve, issue, return, consume", "---FFFFA--F----AA"),
        (F40, "Adjust and cycle count", "---L------F--R---"),
        (F41, "Requisitions", "---FFF----F------"),
        (F42, "Purchase orders and receipts", "--LFL-----F--L---"),
        (F43, "Vendors and scorecards", "R-RFR-----F-RFR--"),
        (F44, "See part prices", "R-RFFFR--RF--F---"),
        (F45, "Providers, teams, technicians", "F-RL-LL--------F-"),
        (F46, "Skills, zones, calendars, absences", "F--L-FFS---LR-FFS"),
        (F47, "Service orders", "R-RRRRR------RFAA"),
        (F48, "Search availability, pre-book, confirm", "-----F--------FL-"),
        (F49, "Assign, offer, broadcast", "-----LL-------F--"),
        (F50, "Accept, decline, negotiate date", "--------------LF-"),
        (F51, "Check in/out, mobile execution", "------LA-------AA"),
        (F52, "Work closing form", "---RR-RA----RRFAA"),
        (F53, "Technical-visit outcome", "----R--A------FAA"),
        (F54, "Contracts and e-signature", "L-RF--------RFFA-"),
        (F55, "Operator tasks", "R--RRRR---L-LLF--"),
        (F56, "SLA policies and calendars", "F-RL-R------LLL--"),
        (F57, "View SLA clocks and breaches", "RRRFFFFARR--RRFAA"),
        (F58, "Exclude or override SLA time", "--LL--------L-L--"),
        (F59, "View work-order costs", "RRRFFFR--RL-RF---"),
        (F60, "Rate cards and cost entries", "---LL--------F-A-"),
        (F61, "Budgets and commitments", "-RRLR-------RF---"),
        (F62, "Invoices and pro-forma", "-RRL------L--FLA-"),
        (F63, "Permits to work and lockout", "---FFRLL---FR--LL"),
        (F64, "Incidents and near misses", "SRRFFSSSSRSFFSSSS"),
        (F65, "Dashboards and KPIs", "RRRFFRRSFFRRRRRSS"),
        (F66, "Report builder and schedules", "FRFFFF---FFFFFR--"),
        (F67, "Generate and review compliance reports", "R-RFR----R-LF----"),
        (F68, "Attest and submit", "-L-F--------F----"),
        (F69, "Lineage and as-of queries", "RRRRR----F-RFR---"),
        (F70, "Users, roles, grants", "F--L--------R-LL-"),
        (F71, "Integrations, API keys, webhooks", "F---L---L----L---"),
        (F72, "Audit log and retention", "F-RRR----R-RFR---"),
        (F73, "Privacy requests and tenant settings", "F-----------F----"),
    ]
};

#[cfg(test)]
mod tests;
