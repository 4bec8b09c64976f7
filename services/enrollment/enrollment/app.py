"""Enrollment, declared."""

from __future__ import annotations

from enrollment.census.api import router as census_router
from enrollment.census.feeds import FEEDS as CENSUS_FEEDS
from enrollment.census.intake.persons import SEALED_FOUND
from enrollment.comparing.api import router as comparing_router
from enrollment.complaints.api import router as complaints_router
from enrollment.complaints.feeds import FEEDS as COMPLAINT_FEEDS
from enrollment.complaints.intake import SEALED_COMPLAINTS
from enrollment.frames.api import router as frames_router
from enrollment.golden.api import router as golden_router
from enrollment.headcounts.api import router as headcounts_router
from enrollment.inspections.api import router as inspections_router
from enrollment.inspections.feeds import FEEDS as INSPECTION_FEEDS
from enrollment.leads.api import router as leads_router
from enrollment.leads.coverage.api import router as coverage_router
from enrollment.leads.feedback.api import router as feedback_router
from enrollment.leads.handlers import on_all_feed_facts, on_feed_facts
from enrollment.leads.work.api import router as lead_work_router
from enrollment.leads.worth.api import router as worth_router
from enrollment.leads.worth.retesting import retest
from enrollment.linking.api import router as linking_router
from enrollment.linking.intake.matching import match_when_quiet
from enrollment.linking.persons_api import router as person_names_router
from enrollment.models import metadata
from enrollment.policy.api import router as policy_router
from enrollment.register.api import router as register_router
from enrollment.register.feeds import FEEDS
from enrollment.register.intake.judging import SEALED_NAMES, SEALED_PERSONS
from enrollment.register.intake.officers import SEALED_APPLICATIONS
from enrollment.roster.api import router as roster_router
from shared.events.deliveries import EnrollmentDeliveryReceived
from shared.events.enrollment import (
    CensusCompared,
    CensusPersonFound,
    CensusVisited,
    ComplaintReceived,
    EmployerChanged,
    EmployerEnded,
    EmployerEnrolled,
    EmployerLinked,
    EmployerSplit,
    InspectionFound,
    LeadAdvanced,
    LeadClosed,
    LeadOpened,
    PersonChanged,
    PersonEnded,
    PersonEnrolled,
)
from shared.service import Job, Service, Subscription, migrations_of

MATCHING_SECONDS = 1.0
"""How often employers that are new or renamed are compared with those known."""

RETESTING_SECONDS = 300.0
"""How often leads no present test has seen are looked for; mostly there are none."""

SERVICE = Service(
    name="enrollment",
    title_zh="参保登记与扩面资源",
    title_en="Enrollment and leads",
    metadata=metadata,
    migrations=migrations_of(__file__),
    feeds=(*FEEDS, *CENSUS_FEEDS, *COMPLAINT_FEEDS, *INSPECTION_FEEDS),
    # Golden records first: /employers/conflicts is no employer's id.
    routers=(
        golden_router,
        register_router,
        # Before the leads: their paths would be taken for a lead's.
        worth_router,
        feedback_router,
        leads_router,
        lead_work_router,
        coverage_router,
        census_router,
        frames_router,
        comparing_router,
        roster_router,
        complaints_router,
        inspections_router,
        policy_router,
        headcounts_router,
        linking_router,
        person_names_router,
    ),
    jobs=(
        Job("match-employers", MATCHING_SECONDS, match_when_quiet),
        Job("retest-leads", RETESTING_SECONDS, retest),
    ),
    publishes=(
        EmployerLinked,
        EmployerSplit,
        EmployerEnrolled,
        EmployerChanged,
        EmployerEnded,
        PersonEnrolled,
        PersonChanged,
        PersonEnded,
        LeadOpened,
        LeadAdvanced,
        LeadClosed,
        CensusVisited,
        CensusPersonFound,
        CensusCompared,
        ComplaintReceived,
        InspectionFound,
        EnrollmentDeliveryReceived,
    ),
    subscriptions=(
        Subscription("registration-feed", on_feed_facts, on_all_feed_facts),
        Subscription("tax-feed", on_feed_facts, on_all_feed_facts),
    ),
    sealed=(
        SEALED_PERSONS,
        *SEALED_NAMES,
        SEALED_FOUND,
        SEALED_COMPLAINTS,
        SEALED_APPLICATIONS,
    ),
)
